/* A copy of a journal that costs almost nothing: hard links, and the one segment that still changes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JOURNAL_BACKUP_H
#define CLI_JOURNAL_BACKUP_H

/*
 * `journal` is a journal's directory, `target` a data directory that is not there yet. Prints; returns an
 * exit code.
 */
int journal_back_up(const char *journal, const char *target);

#endif
