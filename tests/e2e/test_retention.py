"""Topics that are at their size, beside the audit records that share their segments. Budget: 30 s.

SPDX-License-Identifier: Apache-2.0
"""
import threading
import time

from line_client import Producer
from subscriber import Subscriber
from waybill import wait_until

DONE = 10
LINES = 150_000
LOT = 10_000


def start(waybill, when_full):
    waybill.add_door("subscribe", "subscribe")
    waybill.door("produce").update(topic="orders", max_line="64KiB")
    waybill.config["log"] = {"segment_size": "1MiB", "size_max": "64MiB"}
    waybill.config["limits"] = {"append": "256KiB", "record": "64KiB"}
    waybill.config["topics"] = {"orders": {
        "when_full": when_full, "processed_by": ["workers"], "retention": {"size": "4MiB", "age": 0}}}
    return waybill.start()


def complete_first(waybill):
    """What is said of them is an audit record in the first segment, which stays for a week."""
    with waybill.produce() as producer:
        producer.store(*[f"k|0|{i}|first" for i in range(1, DONE + 1)])
    with Subscriber(waybill.connect("subscribe"), "orders GROUP workers") as subscriber:
        subscriber.done(*[record.seq for record in subscriber.take(DONE)])
        assert subscriber.finish() == []
    wait_until(lambda: extent_of(waybill, "waybill.audit")[1] > 0, what="an audit record")


def extent_of(waybill, topic):
    [extent] = waybill.topics().get(topic, [(0, 0)])
    return extent


def lines(first, end):
    return [f"k{i}|0|{i}|a line of some forty bytes in its body" for i in range(first, end)]


def at_rest(waybill):
    """The first offset that is kept, once it moves no more; the log stands still meanwhile."""
    before = extent_of(waybill, "orders")[0]
    time.sleep(1.5)  # the helper comes by each second
    return before > 0 and before == extent_of(waybill, "orders")[0] and before


def test_drop_oldest_drops_though_an_audit_record_keeps_the_segment(waybill):
    start(waybill, "drop_oldest")
    complete_first(waybill)
    for first in range(DONE + 1, LINES, LOT):
        with waybill.produce() as producer:
            producer.store(*lines(first, first + LOT))
    start_of_rest = wait_until(lambda: at_rest(waybill), what="retention")
    assert start_of_rest > LINES // 5
    assert extent_of(waybill, "waybill.audit")[0] == 0
    assert waybill.metric("waybill_records_dropped_total") == start_of_rest - DONE
    waybill.wait_log("records dropped.*group workers")
    waybill.kill()
    waybill.start()
    assert extent_of(waybill, "orders")[0] == start_of_rest
    waybill.stop()


def test_a_topic_that_blocks_opens_again_when_its_group_is_past_it(waybill):
    start(waybill, "block")
    complete_first(waybill)
    with Producer(waybill.connect("produce")) as producer, Subscriber(
            waybill.connect("subscribe"), "orders GROUP workers") as subscriber:
        sender = threading.Thread(target=producer.send, args=lines(DONE + 1, LINES))
        sender.start()
        waybill.wait_log("msg=\"?.*topic=orders reason=")
        assert extent_of(waybill, "orders")[0] == 0
        for _ in range(DONE + 1, LINES):
            subscriber.done(subscriber.next().seq)
        sender.join()
        producer.wait_settled(LINES - DONE - 1)
    wait_until(lambda: extent_of(waybill, "orders")[0] > LINES // 5, what="retention")
    assert extent_of(waybill, "waybill.audit")[0] == 0
    waybill.stop()
