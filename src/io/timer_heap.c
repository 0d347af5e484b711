/* The waiting timers of a loop, the earliest first. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/timer_heap.h"

#include "base/check.h"

/* Two heaps become one: the later root becomes the first child of the earlier. Either may be NULL. */
static struct timer_node *meld(struct timer_node *a, struct timer_node *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    struct timer_node *root = b->due_ns < a->due_ns ? b : a;
    struct timer_node *child = root == a ? b : a;
    child->previous = root;
    child->next = root->child;
    if (child->next != NULL)
        child->next->previous = child;
    root->child = child;
    return root;
}

static struct timer_node *detach(struct timer_node *node)
{
    node->next = NULL;
    node->previous = NULL;
    return node;
}

/* Melds siblings pairwise from the left, then the pairs from the right: this keeps the heap shallow. */
static struct timer_node *meld_siblings(struct timer_node *sibling)
{
    struct timer_node *pairs = NULL; /* linked by `next`, the last pair first */
    while (sibling != NULL) {
        struct timer_node *a = sibling;
        struct timer_node *b = a->next;
        sibling = b == NULL ? NULL : b->next;
        struct timer_node *pair = meld(detach(a), b == NULL ? NULL : detach(b));
        pair->next = pairs;
        pairs = pair;
    }
    struct timer_node *root = NULL;
    while (pairs != NULL) {
        struct timer_node *pair = pairs;
        pairs = pair->next;
        root = meld(root, detach(pair));
    }
    return root;
}

void timer_heap_insert(struct timer_heap *heap, struct timer_node *node)
{
    node->child = NULL;
    heap->first = meld(heap->first, detach(node));
}

static void cut_off(struct timer_node *node)
{
    check(node->previous != NULL);
    if (node->previous->child == node)
        node->previous->child = node->next;
    else
        node->previous->next = node->next;
    if (node->next != NULL)
        node->next->previous = node->previous;
}

void timer_heap_remove(struct timer_heap *heap, struct timer_node *node)
{
    struct timer_node *children = meld_siblings(node->child);
    if (heap->first == node) {
        heap->first = children;
    } else {
        cut_off(node);
        heap->first = meld(heap->first, children);
    }
    node->child = NULL;
    detach(node);
}
