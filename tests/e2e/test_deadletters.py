"""Dead letters, replays, rerouting and the audit, as docs/formats/dead-letter.md describes them. Budget: 60 s.

SPDX-License-Identifier: Apache-2.0
"""
import json
import subprocess
import time

from line_client import LineSocket
from subscriber import Subscriber
from waybill import wait_until

UNROUTED = "unrouted.dlq"


def send_plain(waybill, data):
    with LineSocket(waybill.connect("produce")) as client:
        client.send_bytes(data)
        client.end()
        assert client.read_all() == []


def command(waybill, *words, code=0):
    """A subcommand against the running program; its standard output."""
    result = waybill.run(*words, "--data", waybill.seen_data)
    assert result.returncode == code, (result.stdout, result.stderr)
    return result.stdout


def letters(waybill, topic, *words):
    return [json.loads(line) for line in command(waybill, "deadletters", "list", topic, "--json", *words).splitlines()]


def audited(waybill, *words):
    return [json.loads(line) for line in command(waybill, "audit", "--json", *words).splitlines()]


# Lines without a route


def park_lines(waybill):
    """Two lines whose keys are no topic's names, one without fields, one that is too long, and one that has its place."""
    waybill.door("produce")["max_line"] = "1KiB"
    waybill.start()
    send_plain(waybill, b"us/1|1795334400123|1|first\nbroken\neu|1795334400124|2|fine\nus/2|1795334400125|3|a|b\n"
               + b"x" * 2000 + b"\n")
    wait_until(lambda: len(letters(waybill, UNROUTED)) == 4, what="four parked lines")


def add_route(waybill):
    waybill.door("produce")["routes"] = [{"key": "us/*", "topic": "us"}]
    waybill.stop()
    waybill.start()


def test_parked_lines_are_listed_with_their_reasons(waybill):
    park_lines(waybill)
    listed = letters(waybill, UNROUTED)
    assert [each["reason"] for each in listed] == ["bad_name", "missing_field", "bad_name", "too_long"]
    assert [each.get("key") for each in listed] == ["us/1", None, "us/2", None]
    assert {each["state"] for each in listed} == {"open"}
    first, end = letters(waybill, UNROUTED, "--reason", "bad*", "--limit", 1)
    assert first["id"] == "unrouted.dlq/0/0" and end == {"next": "0:1"}
    assert [each["id"] for each in letters(waybill, UNROUTED, "--reason", "bad*", "--from", end["next"])] == ["unrouted.dlq/0/2"]
    shown = json.loads(command(waybill, "deadletters", "show", UNROUTED, "0:2", "--json"))
    assert shown["value"] == "a|b" and {"name": "timestamp", "value": "1795334400125"} in shown["headers"]
    assert command(waybill, "deadletters", "list").split() == [UNROUTED, "4"]


def test_reroute_sends_lines_to_where_they_belong_now_and_each_once(waybill):
    park_lines(waybill)
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", code=1) == "rerouted 0  left 4\n"
    add_route(waybill)
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", "--dry-run", code=1) == "rerouted 2  left 2\n"
    assert "us" not in waybill.topics()
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", code=1) == "rerouted 2  left 2\n"
    assert waybill.tail("us") == [b"1|us/1|1795334400123|first", b"3|us/2|1795334400125|a|b"]
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", code=1) == "rerouted 0  left 2\n"
    assert [each["state"] for each in letters(waybill, UNROUTED)] == ["rerouted", "open", "rerouted", "open"]
    waybill.kill()
    waybill.start()
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", code=1) == "rerouted 0  left 2\n"
    assert len(waybill.tail("us")) == 2
    told = audited(waybill, "--event", "reroute")
    assert [(each["topic"], each["offset"], each["to"], each["count"]) for each in told] == [(UNROUTED, 0, 3, 2)]
    assert waybill.metric("waybill_deadletters_rerouted_total") == 0  # of this run


def test_dropped_lines_are_not_rerouted(waybill):
    park_lines(waybill)
    assert command(waybill, "deadletters", "drop", UNROUTED, "--reason", "bad_name", "--to", "1") == "dropped 1\n"
    add_route(waybill)
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", code=1) == "rerouted 1  left 2\n"
    assert waybill.tail("us") == [b"3|us/2|1795334400125|a|b"]
    assert [each["state"] for each in letters(waybill, UNROUTED)] == ["dropped", "open", "rerouted", "open"]
    assert command(waybill, "deadletters", "drop", UNROUTED, "--all") == "dropped 2\n"
    assert [each["event"] for each in audited(waybill)] == ["deadletters_drop", "reroute",
                                                             "deadletters_drop", "deadletters_drop"]


def test_thousands_of_parked_lines_are_rerouted_with_their_numbers(waybill):
    count = 20000
    waybill.start()
    send_plain(waybill, b"".join(b"us/%d|1|%d|body %d\n" % (i, i, i) for i in range(1, count + 1)))
    wait_until(lambda: waybill.topics().get(UNROUTED, [(0, 0)])[0][1] == count, what="all lines parked")
    add_route(waybill)
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute") == f"rerouted {count}  left 0\n"
    assert waybill.tail("us") == [b"%d|us/%d|1|body %d" % (i, i, i) for i in range(1, count + 1)]
    places = [each["id"] for each in waybill.control(op="receipt", seq=777)[:-1]]
    assert places == [f"{UNROUTED}/0/776", "us/0/776"]


# Misuse


def test_misuse_is_told_apart(waybill):
    waybill.start()
    for words in (["deadletters"], ["deadletters", "undo"], ["deadletters", "drop", "a.dlq"], ["deadletters", "show", "a.dlq"],
                  ["deadletters", "show", "a.dlq", "x"], ["deadletters", "replay", "a.dlq", "--rate", "0"],
                  ["deadletters", "list", "a.dlq", "--rate", "1"], ["deadletters", "stop", "seven"], ["audit", "orders"]):
        result = waybill.run(*words, "--data", waybill.seen_data)
        assert result.returncode == 2 and result.stderr != "" and result.stdout == "", words
    for words in (["deadletters", "list", "absent.dlq"], ["deadletters", "replay", "absent.dlq"], ["deadletters", "stop", "7"],
                  ["deadletters", "replay", "absent.dlq", "--reroute"], ["deadletters", "replays", "7"],
                  ["deadletters", "drop", "absent.dlq", "--all"]):
        result = waybill.run(*words, "--data", waybill.seen_data)
        assert result.returncode == 1 and words[2] in result.stderr, (words, result.stderr)
    for words in (["deadletters", "--help"], ["deadletters", "list", "--help"], ["audit", "--help"]):
        assert "usage: waybill" in waybill.run(*words).stdout


def test_the_audit_topic_without_retention_is_warned_of(waybill):
    waybill.config["topics"] = {"waybill.audit": {"retention": {"age": "0", "size": "0"}}}
    waybill.start()
    waybill.wait_log("the audit topic has no retention")


# What subscribers give up


DEAD = "orders.dlq"


def start_loop(waybill, partitions=1, **config):
    """Producers write to orders, subscribers read it."""
    waybill.add_door("subscribe", "subscribe")
    waybill.door("produce")["topic"] = "orders"
    waybill.config["topics"] = {"orders": {"partitions": partitions}, **config.pop("topics", {})}
    waybill.config.update(config)
    waybill.start()


def subscribe(waybill, words="orders GROUP billing"):
    return Subscriber(waybill.connect("subscribe"), words)


def store(waybill, first, count):
    with waybill.produce() as producer:
        producer.store(*[f"k{i}|{i}|{i}|body {i}" for i in range(first, first + count)])


def fail_all(waybill, count, reason="bad", partitions=1):
    """All of 1 to count are dead letters of the group billing."""
    store(waybill, 1, count)
    with subscribe(waybill) as subscriber:
        assert len(subscriber.take(count)) == count
        subscriber.send(*[f"FAIL {i} {reason}" for i in range(1, count + 1)])
        assert subscriber.finish() == []
    assert sum(end for _, end in waybill.topics()[DEAD]) == count


def replay(waybill, *words, code=0):
    return json.loads(command(waybill, "deadletters", "replay", DEAD, "--json", *words, code=code))


def begin_replay(waybill, *words):
    """Its number; it goes on by itself."""
    return command(waybill, "deadletters", "replay", DEAD, "--detach", *words).strip()


def look(waybill, number):
    return json.loads(command(waybill, "deadletters", "replays", number, "--json"))


def wait_replay(waybill, number, **expected):
    def matches():
        seen = look(waybill, number)
        return seen if all(seen.get(name) == value for name, value in expected.items()) else None
    return wait_until(matches, what=f"replay {number} with {expected}")


def state_of(waybill, seq):
    return waybill.control(op="receipt", seq=seq)[0]["state"]


def test_a_failed_record_becomes_a_dead_letter_with_its_audit(waybill):
    start_loop(waybill, partitions=4)
    store(waybill, 1, 20)
    with subscribe(waybill) as subscriber:
        records = {record.seq: record for record in subscriber.take(20)}
        subscriber.send("FAIL 17 no such customer")
        subscriber.done(*(i for i in range(1, 21) if i != 17))
        assert subscriber.finish() == []
    (letter,) = letters(waybill, DEAD)
    assert (letter["group"], letter["reason"], letter["attempts"], letter["state"]) == ("billing", "no such customer", 1, "open")
    assert letter["seq"] == 17 and letter["key"] == "k17" and letter["by"].startswith("127.0.0.1:")
    receipt = waybill.control(op="receipt", seq=17)[0]
    assert receipt["state"] == "dead_lettered" and receipt["id"] == letter["origin"]
    place = letter["id"].split("/")[1:]
    shown = json.loads(command(waybill, "deadletters", "show", DEAD, ":".join(place), "--json"))
    assert shown["value"].encode() == records["17"].body
    assert [(header["name"], header["value"]) for header in shown["headers"]] == [("timestamp", "17"), ("seq", "17")]
    (dead,) = audited(waybill, "--event", "dead")
    assert (dead["topic"], dead["reason"], dead["deadLetterTopic"], dead["group"]) == ("orders", "no such customer", DEAD, "billing")
    done = audited(waybill, "--event", "done")
    assert sum(each.get("count", 1) for each in done) == 19 and {each["identity"] for each in done} == {letter["by"]}


def test_a_replay_hands_them_to_the_group_again_and_receipts_follow(waybill):
    start_loop(waybill)
    fail_all(waybill, 10)
    with subscribe(waybill) as subscriber:
        number = begin_replay(waybill)
        assert [record.seq for record in subscriber.take(10)] == [str(i) for i in range(1, 11)]
        subscriber.done("1-10")
        end = wait_replay(waybill, number, state="done")
    assert (end["wanted"], end["settled"], end["left"], end["failed_again"]) == (10, 10, 0, 0)
    assert {each["state"] for each in letters(waybill, DEAD)} == {"replayed"}
    assert state_of(waybill, 7) == "replayed"
    assert len(waybill.tail("orders")) == 10  # nobody else sees them
    assert replay(waybill)["wanted"] == 0


def test_what_fails_again_lands_behind_the_range(waybill):
    start_loop(waybill)
    fail_all(waybill, 5)
    with subscribe(waybill) as subscriber:
        number = begin_replay(waybill)
        subscriber.take(5)
        subscriber.send("FAIL 2 still bad", "FAIL 4 still bad")
        subscriber.done(1, 3, 5)
        assert wait_replay(waybill, number, state="done")["failed_again"] == 2
        assert subscriber.nothing_comes()
    listed = letters(waybill, DEAD)
    assert [each["state"] for each in listed] == ["replayed", "failed_again", "replayed", "failed_again", "replayed", "open", "open"]
    again = listed[5]
    assert (again["seq"], again["attempts"], again["origin"], again["first"]) == (2, 2, "orders/0/1", listed[1]["first"])
    assert state_of(waybill, 2) == "dead_lettered"
    with subscribe(waybill) as subscriber:
        number = begin_replay(waybill)
        assert [record.seq for record in subscriber.take(2)] == ["2", "4"]
        subscriber.send("FAIL 2 for ever", "FAIL 4 for ever")
        wait_replay(waybill, number, state="done")
        result = waybill.run("deadletters", "replay", DEAD, "--last-retry", "--detach", "--data", waybill.seen_data)
        subscriber.take(2)
        subscriber.send("FAIL 2 for ever", "FAIL 4 for ever")
        wait_replay(waybill, result.stdout.strip(), state="done", failed_again=2)
    assert len(letters(waybill, DEAD)) == 9


def test_filters_leave_others_open_and_ranges_are_exclusive(waybill):
    start_loop(waybill)
    store(waybill, 1, 6)
    with subscribe(waybill) as subscriber:
        subscriber.take(6)
        subscriber.send(*[f"FAIL {i} {'timeout' if i % 2 else 'bad'}" for i in range(1, 7)])
        assert subscriber.finish() == []
    assert replay(waybill, "--dry-run", "--from", "1", "--to", "4", "--reason", "time*")["wanted"] == 1
    with subscribe(waybill) as subscriber:
        number = begin_replay(waybill, "--reason", "time*", "--to", "0:5")
        assert [record.seq for record in subscriber.take(3)] == ["1", "3", "5"]
        subscriber.done("1-5")
        assert wait_replay(waybill, number, state="done")["left_out"] == 2
        number = begin_replay(waybill)
        assert [record.seq for record in subscriber.take(3)] == ["2", "4", "6"]
        subscriber.done("1-6")
        wait_replay(waybill, number, state="done")
        assert subscriber.nothing_comes()


def test_a_dry_run_hands_out_nothing(waybill):
    start_loop(waybill)
    fail_all(waybill, 3)
    with subscribe(waybill) as subscriber:
        assert (replay(waybill, "--dry-run")["wanted"], len(letters(waybill, DEAD))) == (3, 3)
        assert subscriber.nothing_comes()


def test_a_killed_replay_goes_on_where_it_was(waybill):
    count = 200
    start_loop(waybill, partitions=3)
    fail_all(waybill, count)
    with subscribe(waybill, "orders GROUP billing WINDOW 20") as subscriber:
        number = begin_replay(waybill)
        given = [record.seq for record in subscriber.take(20)]
        subscriber.done(*given[:10])
        wait_replay(waybill, number, settled=10)
        waybill.kill()
    waybill.start()
    with subscribe(waybill) as subscriber:
        again = [record.seq for record in subscriber.take(count - 10)]
        assert set(again) == {str(i) for i in range(1, count + 1)} - set(given[:10])
        subscriber.done(f"1-{count}")
        end = wait_replay(waybill, number, state="done")
        assert (end["wanted"], end["settled"]) == (count, count)
        assert subscriber.nothing_comes()
    assert {each["state"] for each in letters(waybill, DEAD, "--limit", 1000)} == {"replayed"}


def test_a_replay_of_a_topic_that_is_being_written_ends_where_it_began(waybill):
    start_loop(waybill)
    fail_all(waybill, 5)
    with subscribe(waybill) as subscriber:
        number = begin_replay(waybill)
        subscriber.take(5)
        store(waybill, 6, 5)
        subscriber.take(5)
        subscriber.send(*[f"FAIL {i} new" for i in range(6, 11)])
        wait_until(lambda: waybill.topics()[DEAD][0][1] == 10, what="ten dead letters")
        subscriber.done("1-5")
        end = wait_replay(waybill, number, state="done")
        assert (end["wanted"], end["failed_again"]) == (5, 0)
    assert [each["state"] for each in letters(waybill, DEAD)] == ["replayed"] * 5 + ["open"] * 5


def test_groups_get_their_own_letters_or_another_group_does(waybill):
    start_loop(waybill)
    fail_all(waybill, 2)
    with subscribe(waybill, "orders GROUP shipping") as shipping:
        shipping.take(2)
        shipping.send("FAIL 1 no truck")
        shipping.done(2)
        wait_until(lambda: waybill.topics()[DEAD][0][1] == 3, what="three dead letters")
        number = begin_replay(waybill)
        assert shipping.next().seq == "1"
        shipping.done(1)
        wait_replay(waybill, number, settled=1, waiting=1)
        command(waybill, "deadletters", "stop", number)
        wait_replay(waybill, number, state="stopped")
        number = begin_replay(waybill, "--delivery", "shipping")
        assert [record.seq for record in shipping.take(2)] == ["1", "2"]
        shipping.done(1, 2)
        wait_replay(waybill, number, state="done")
    assert {each["state"] for each in letters(waybill, DEAD)} == {"replayed"}


def test_a_rate_is_kept(waybill):
    start_loop(waybill)
    fail_all(waybill, 100)
    with subscribe(waybill) as subscriber:
        began = time.monotonic()
        number = begin_replay(waybill, "--rate", "100")
        subscriber.take(100)
        assert 0.7 < time.monotonic() - began < 5
        subscriber.done("1-100")
        wait_replay(waybill, number, state="done")


def test_the_subscriber_of_dead_letters_gives_up_without_a_circle(waybill):
    start_loop(waybill)
    fail_all(waybill, 2)
    with subscribe(waybill, f"{DEAD} GROUP digger") as digger:
        assert [record.seq for record in digger.take(2)] == ["1", "2"]
        digger.send("FAIL 1 hopeless", "FAIL 2 hopeless")
        assert digger.finish() == []
    assert len(letters(waybill, DEAD)) == 2 and f"{DEAD}.dlq" not in waybill.topics()
    assert [each["group"] for each in audited(waybill, "--event", "given_up")] == ["digger", "digger"]


def test_followed_replay_says_its_end_and_ends_with_1_when_something_failed_again(waybill):
    start_loop(waybill)
    fail_all(waybill, 3)
    with subscribe(waybill) as subscriber:
        with subprocess.Popen([waybill.binary, "deadletters", "replay", DEAD, "--data", waybill.seen_data],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            subscriber.take(3)
            subscriber.send("FAIL 1 again")
            subscriber.done(2, 3)
            output, errors = process.communicate(timeout=20)
    assert process.returncode == 1, errors
    assert "wanted 3  settled 3  failed again 1  left 0" in output


SMALL = {"log": {"segment_size": "256KiB", "size_max": "64MiB"}, "limits": {"append": "64KiB", "record": "16KiB"}}


def test_drops_of_the_oldest_are_audited(waybill):
    waybill.config["doors"] = [door for door in waybill.config["doors"] if door["serve"] == "produce"]
    waybill.door("produce").update(topic="orders", max_line="8KiB")
    waybill.config["topics"] = {"orders": {"when_full": "drop_oldest", "processed_by": ["billing"],
                                           "retention": {"age": "0", "size": "512KiB"}}}
    waybill.config.update(SMALL)
    waybill.start()
    with waybill.produce() as producer:
        producer.store(*[f"k|{i}|{i}|{'x' * 1000}" for i in range(1, 3001)])
    waybill.wait_log('msg="records dropped"')
    told = wait_until(lambda: audited(waybill, "--event", "drop"), what="an audit record")
    assert told[0]["auditType"] == "LOG" and told[0]["count"] > 0 and "drop_oldest" in told[0]["reason"]


def test_a_dead_letter_topic_at_its_size_holds_nobody_up(waybill):
    waybill.door("produce")["max_line"] = "8KiB"
    start_loop(waybill, topics={DEAD: {"processed_by": ["digger"], "retention": {"age": "0", "size": "512KiB"}}}, **SMALL)
    with waybill.produce() as producer:
        producer.store(*[f"k{i}|{i}|{i}|{'x' * 1000}" for i in range(1, 2001)])
    with subscribe(waybill) as subscriber:
        assert len(subscriber.take(2000)) == 2000
        subscriber.send(*[f"FAIL {i} bad" for i in range(1, 2001)])
        assert subscriber.finish() == []
    waybill.wait_log(f'msg="log is full" topic={DEAD}')
    assert waybill.topics()[DEAD] == [(0, 2000)]
    assert waybill.metric("waybill_journal_damaged_ranges_total") == 0
    with subscribe(waybill) as subscriber:
        number = begin_replay(waybill)
        subscriber.take(2000)
        subscriber.done("1-2000")
        wait_replay(waybill, number, state="done")
