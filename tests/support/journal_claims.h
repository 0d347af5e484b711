/* What an append of the journal's model says besides its records: a note, and that an earlier record is given up. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_JOURNAL_CLAIMS_H
#define SUPPORT_JOURNAL_CLAIMS_H

#include "support/journal_model.h"

enum { JOURNAL_CLAIMS_DIGITS = 8 };

/* Lives as long as the append. */
struct journal_claims {
    struct store_settled settled;
    struct store_note note;
    char by[JOURNAL_CLAIMS_DIGITS + 1];
    char note_key[8];
};

/* The append with this id says it, and the model knows. */
void journal_claims_add(struct journal_model *model,
                        uint32_t id,
                        struct journal_claims *claims,
                        struct store_append *append);
/* It does not say it after all. */
void journal_claims_remove(struct journal_model *model, uint32_t id, struct store_append *append);
/* All notes and outcomes are those of the appends that were found, and no others. */
void journal_claims_check(struct journal_model *model);

#endif
