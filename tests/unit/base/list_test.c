/* Tests of the linked list. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include "support/test.h"

struct item {
    int number;
    struct list link;
};

/* The numbers of the items, each one digit. */
static const char *digits(struct list *list, char text[static 16])
{
    size_t len = 0;
    LIST_EACH (list, link)
        text[len++] = (char)('0' + LIST_OWNER(link, struct item, link)->number);
    text[len] = '\0';
    return text;
}

static void fill(struct list *list, struct item *items, int count)
{
    list_init(list);
    for (int i = 0; i < count; i++) {
        items[i].number = i;
        list_insert_last(list, &items[i].link);
    }
}

TEST(items_stay_in_order_and_leave_twice_without_harm)
{
    struct item items[4];
    struct list list;
    char text[16];
    fill(&list, items, 4);
    list_remove(&items[2].link);
    list_remove(&items[2].link);
    expect_equal_text(digits(&list, text), "013");
    expect(list_take_first(&list) == &items[0].link);
    expect_equal_text(digits(&list, text), "13");
}

TEST(items_may_leave_during_a_safe_walk)
{
    struct item items[4];
    struct list list;
    fill(&list, items, 4);
    LIST_EACH_SAFE (&list, link)
        list_remove(link);
    expect(list_is_empty(&list));
    expect_null(list_take_first(&list));
}

TEST(lists_are_joined_whole)
{
    struct item items[3];
    struct item others[3];
    struct list list;
    struct list other;
    char text[16];
    fill(&list, items, 3);
    fill(&other, others, 2);
    list_move_all(&list, &other);
    expect_equal_text(digits(&list, text), "01201");
    expect(list_is_empty(&other));
    list_move_all(&list, &other);
    list_move_all(&other, &list);
    expect_equal_text(digits(&other, text), "01201");
}

TEST_MAIN(items_stay_in_order_and_leave_twice_without_harm,
          items_may_leave_during_a_safe_walk,
          lists_are_joined_whole)
