/* Tests of the mailbox: nothing is lost between threads, and a wake-up comes only when it was empty. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mailbox.h"

#include <stdatomic.h>

#include "support/test.h"

enum { THREADS = 4, MAILS = 5000 };

struct letter {
    struct mail mail;
    int sender;
    int number;
};

struct reader {
    struct mailbox mailbox;
    _Atomic unsigned wakes;
    int next[THREADS];
};

struct sender {
    pthread_t thread;
    struct reader *reader;
    struct letter letters[MAILS];
};

static struct reader the_reader;

static void on_delivered(struct mail *mail)
{
    struct letter *letter = LIST_OWNER(mail, struct letter, mail);
    expect_equal_i64(letter->number, the_reader.next[letter->sender]++);
}

static void on_wake(void *owner)
{
    ((struct reader *)owner)->wakes++;
}

static void *send_all(void *argument)
{
    struct sender *sender = argument;
    for (int i = 0; i < MAILS; i++)
        mailbox_post(&sender->reader->mailbox, &sender->letters[i].mail);
    return NULL;
}

TEST(mails_of_each_thread_arrive_once_and_in_order)
{
    static struct sender senders[THREADS];
    the_reader = (struct reader){0};
    mailbox_init(&the_reader.mailbox, on_wake, &the_reader);
    for (int i = 0; i < THREADS; i++) {
        senders[i].reader = &the_reader;
        for (int n = 0; n < MAILS; n++)
            senders[i].letters[n] = (struct letter){{.on_delivered = on_delivered}, i, n};
        expect(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]) == 0);
    }
    for (unsigned count = 0; count < THREADS * MAILS;)
        count += mailbox_deliver(&the_reader.mailbox);
    for (int i = 0; i < THREADS; i++) {
        expect(pthread_join(senders[i].thread, NULL) == 0);
        expect_equal_i64(the_reader.next[i], MAILS);
    }
    mailbox_done(&the_reader.mailbox);
}

TEST(only_the_first_mail_wakes)
{
    struct letter letters[3] = {{{.on_delivered = on_delivered}, 0, 0},
                                {{.on_delivered = on_delivered}, 0, 1},
                                {{.on_delivered = on_delivered}, 0, 2}};
    the_reader = (struct reader){0};
    mailbox_init(&the_reader.mailbox, on_wake, &the_reader);
    mailbox_post(&the_reader.mailbox, &letters[0].mail);
    mailbox_post(&the_reader.mailbox, &letters[1].mail);
    expect_equal_u64(the_reader.wakes, 1);
    expect_equal_u64(mailbox_deliver(&the_reader.mailbox), 2);
    mailbox_post(&the_reader.mailbox, &letters[2].mail);
    expect_equal_u64(the_reader.wakes, 2);
    expect_equal_u64(mailbox_deliver(&the_reader.mailbox), 1);
    expect_equal_u64(mailbox_deliver(&the_reader.mailbox), 0);
    mailbox_done(&the_reader.mailbox);
}

TEST_MAIN(mails_of_each_thread_arrive_once_and_in_order, only_the_first_mail_wakes)
