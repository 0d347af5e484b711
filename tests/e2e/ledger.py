"""Senders that remember what they sent and what was acknowledged, and compare it with what a program gives back.

SPDX-License-Identifier: Apache-2.0

Each sender owns a range of numbers, counted up. What it sent and was not acknowledged when its connection broke, it
sends again, in order. So of a sender's lines in a partition, the first ones of each number must come in the order of
the numbers: anything else is a hole, an invention or a reorder.
"""
import random
import threading
from collections import Counter

from line_client import Producer
from waybill import wait_until

FILLER = bytes(range(65, 91)) * 1000
BATCH_LINES_MAX = 200
OPEN_LINES_MAX = 1000
PARTITIONS = {"alpha": 3, "beta": 1}


class Sender(threading.Thread):
    """One producer; subclasses say how it learns what is stored."""

    def __init__(self, waybill, index, seed, may_send):
        super().__init__(daemon=True)
        self.waybill = waybill
        self.base = index * 10**9
        self.random = random.Random(seed + index)
        self.may_send = may_send  # an event: cleared while the program is down or examined
        self.is_idle = threading.Event()
        self.is_over = False
        self.failure = None
        self.acknowledged = 0  # numbers base + 1 ... base + acknowledged
        self.sent = Counter()  # number -> how often

    def number(self, count):
        return self.base + count

    def line(self, number):
        """The same line each time: of many sizes, to both topics."""
        topic = "alpha" if number % 3 else "beta"
        return b"%s.%d|%d|%d|%s" % (topic.encode(), number % 17, number, number, body_of(number))

    def next_lines(self, count):
        first = self.position + 1
        lines = [self.line(self.number(first + i)) + b"\n" for i in range(count)]
        for i in range(count):
            self.sent[self.number(first + i)] += 1
        self.position += count
        return b"".join(lines)

    def run(self):
        try:
            while not self.is_over:
                self.is_idle.set()
                self.may_send.wait()
                self.is_idle.clear()
                self.position = self.acknowledged
                try:
                    self.send_until_broken()
                except (OSError, EOFError):
                    pass  # the program was killed; what is open will be sent again
        except BaseException as failure:  # shown by the thread that waits for this one
            self.failure = failure
        finally:
            self.is_idle.set()

    def is_sending(self):
        return self.may_send.is_set() and not self.is_over


class AcknowledgedSender(Sender):
    """Speaks acknowledged mode."""

    def send_until_broken(self):
        with self.waybill.connect("produce") as connection:
            try:
                producer = Producer(connection, f"sender-{self.base}")
            except (AssertionError, TypeError):
                raise EOFError from None  # killed before it could greet
            assert producer.last == 0 or producer.last >= self.number(self.acknowledged)
            assert producer.last > 0 or self.acknowledged == 0
            start = self.acknowledged
            while self.is_sending():
                producer.send_bytes(self.next_lines(self.random.randint(1, BATCH_LINES_MAX)))
                while self.position - self.acknowledged > self.random.randint(0, OPEN_LINES_MAX):
                    self.take_answer(producer, start)

    def take_answer(self, producer, start):
        try:
            answer = producer.read()
        except AssertionError:
            raise EOFError from None  # killed within an answer
        if answer is None:
            raise EOFError
        count, seq = map(int, Producer.ACK.match(answer).groups())
        assert seq == self.number(start + count) and count <= self.position - start, answer
        self.acknowledged = start + count


class PlainSender(Sender):
    """Speaks plain mode, and asks the acks port."""

    def send_until_broken(self):
        with self.waybill.connect("produce") as producer, self.waybill.question() as questioner:
            while self.is_sending():
                producer.sendall(self.next_lines(self.random.randint(1, BATCH_LINES_MAX)))
                span = f"{self.number(self.acknowledged + 1)}-{self.number(self.position)}"
                while self.ask(questioner, span) != f"ACK {span}":
                    if not self.is_sending():
                        return
                self.acknowledged = self.position

    @staticmethod
    def ask(questioner, span):
        try:
            return questioner.ask(f"GET_ACK {span}")
        except (AssertionError, AttributeError):
            raise EOFError from None


class Ledger:
    """All senders of one program, and the examination of it."""

    def __init__(self, waybill, seed):
        self.waybill = waybill
        self.may_send = threading.Event()
        kinds = [AcknowledgedSender, AcknowledgedSender, PlainSender]
        self.senders = [kind(waybill, index, seed, self.may_send) for index, kind in enumerate(kinds)]

    def __enter__(self):
        for sender in self.senders:
            sender.start()
        return self

    def __exit__(self, *_):
        for sender in self.senders:
            sender.is_over = True
        self.may_send.set()
        for sender in self.senders:
            sender.join()

    @staticmethod
    def configure(waybill):
        waybill.config["topics"] = {name: {"partitions": count} for name, count in PARTITIONS.items()}
        waybill.door("produce")["routes"] = [{"key": f"{name}.*", "topic": name} for name in PARTITIONS]

    @property
    def acknowledged(self):
        return sum(sender.acknowledged for sender in self.senders)

    def go_on(self):
        self.may_send.set()

    def wait_acknowledged(self, count):
        """Waits until so many more lines were acknowledged, to somebody."""
        goal = self.acknowledged + count

        def is_reached():
            self.raise_failure()
            return self.acknowledged >= goal

        wait_until(is_reached, 60, f"{count} more acknowledgements")

    def pause(self):
        """No sender has a connection afterwards; the program must be down, or they end by themselves soon."""
        self.may_send.clear()
        for sender in self.senders:
            assert sender.is_idle.wait(60)
        self.raise_failure()

    def raise_failure(self):
        for sender in self.senders:
            if sender.failure is not None:
                raise sender.failure

    def examine(self):
        """What was acknowledged is answered for, and what is read is what was sent: no more, no less, in order."""
        with self.waybill.question() as questioner:
            for sender in self.senders:
                if sender.acknowledged > 0:
                    span = f"{sender.number(1)}-{sender.number(sender.acknowledged)}"
                    answer = questioner.ask(f"GET_ACK {span}")
                    assert answer == f"ACK {span}", f"{span} was acknowledged, and now: {answer}"
        found = Counter()
        for topic, extents in self.waybill.topics().items():
            assert len(extents) == PARTITIONS[topic]
            for partition, (start, end) in enumerate(extents):
                lines = self.waybill.tail(topic, start=f"{partition}:0", seconds=60)
                assert len(lines) == end - start and start == 0
                found.update(self.examine_partition(topic, lines))
        for sender in self.senders:
            for count in range(1, sender.acknowledged + 1):
                assert found[sender.number(count)] > 0, f"{sender.number(count)} was acknowledged and is gone"
        return found

    def examine_partition(self, topic, lines):
        highest = [0] * len(self.senders)
        numbers = []
        seen = Counter()
        for line in lines:
            number = int(line.partition(b"|")[0])
            index = number // 10**9
            sender = self.senders[index]
            assert line == canonical(sender.line(number)), f"{line!r} was not sent"
            assert line.split(b"|", 2)[1].startswith(topic.encode())
            seen[number] += 1
            assert seen[number] <= sender.sent[number], f"{number} is there more often than it was sent"
            if seen[number] == 1:
                assert number > highest[index], f"{number} came after {highest[index]}"
                highest[index] = number
            numbers.append(number)
        return numbers


def body_of(number):
    size = number * 7919 % 600 if number % 701 else 20000
    return b"%d:%s" % (number, FILLER[:size])


def canonical(line):
    """From the fields of a sender, key|timestamp|seq|body, to those of a reader."""
    key, timestamp, seq, body = line.split(b"|", 3)
    return b"|".join([seq, key, timestamp, body])


def seed_from(text):
    """The seed that somebody asked for, else a new one."""
    return int(text) if text else random.SystemRandom().randrange(10**6)
