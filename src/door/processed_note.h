/* The note that says where the reading of a processed log goes on: it stands in the append with the outcomes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_PROCESSED_NOTE_H
#define DOOR_PROCESSED_NOTE_H

#include "door/log_tail.h"

enum { PROCESSED_NOTE_KEY_SIZE = 64, PROCESSED_NOTE_SIZE = 2048 };

/*
 * "processed_log/<CRC-32C of the path, and of group and sequence, in hexadecimal>". Returns `key`.
 * The value is "1 <inode> <offset> <head_len> <head_crc> <path>", numbers in decimal; 1 is the version of this form.
 */
const char *processed_note_key(char key[static PROCESSED_NOTE_KEY_SIZE],
                               const char *path,
                               struct span group,
                               struct span sequence);

struct span processed_note_write(char text[static PROCESSED_NOTE_SIZE],
                                 const struct log_tail_position *position,
                                 const char *path);
/* False: it is another form, or of another path. */
bool processed_note_read(struct span note, const char *path, struct log_tail_position *ret_position);

#endif
