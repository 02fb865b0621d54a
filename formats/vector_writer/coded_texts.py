"""Texts of coded headers; formats/header.md, section 5."""

from vector_writer.coded_stream import LIKELY, Stream

PAST = (
    b"\x08MIT\0\x08Apache-2.0\0\x070.9\0\x06\0\x051\0\x04synflow\0\x04grasp\0\x04snip\0"
    b'\x030.99\0\x030.995\0\x02{"num_classes":10}\0\x02{"relu":"conv"}\0\x01resnet-18\0'
    b"\x01vgg16-d\0\x01lenet-300-100\0\x01lenet5-caffe\0"
)


class TextCoder:
    """Codes texts and keeps their past."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.past = PAST

    def code(self, text: bytes, key: int) -> None:
        """Code a text under the number of its key."""
        self.past += bytes([key])
        is_hex = len(text) >= 8 and not text.strip(b"0123456789abcdef")
        if is_hex and self.stream.wrong != "hex":
            self.stream.bit("hex", 1, (8, 24))
            self.stream.number("digits", len(text) - 8)
            for byte in text:
                self.stream.raw(4, int(chr(byte), 16))
            self.past += text + b"\0"
            return
        self.stream.bit("hex", 0, (8, 24))
        run, before = 0, 0
        for byte in text + b"\0":
            guessed = self.follow(byte, run)
            place = self.place(byte)
            if not guessed:
                self.stream.choice(("class", before), 5, place[0])
                context, count, number = place[1:]
                if place[0] == 4:
                    self.stream.raw(7, number)
                elif place[0]:
                    self.stream.choice(context, count, number, 8)
            run = min(3, run + 1) if guessed else 0
            before = place[0]
            self.past += bytes([byte])

    def follow(self, byte: int, run: int) -> bool:
        """Code whether a byte follows what it followed before."""
        tried: list[int] = []
        for length in (3, 2):
            place = self.past[:-1].rfind(self.past[-length:])
            guess = self.past[place + length] if place >= 0 else None
            if guess is not None and guess not in tried:
                right = guess == byte and self.stream.wrong != "follower"
                self.stream.bit(("follower", len(tried), run), int(right), LIKELY)
                if right:
                    return True
                tried.append(guess)
        return False

    def place(self, byte: int) -> tuple[int, str, int, int]:
        """Return the class of a byte of a text, and its place there."""
        letters, digits = range(97, 123), range(48, 58)
        others = [n for n in range(1, 128) if n not in letters and n not in digits]
        if not byte:
            return 0, "", 0, 0
        if byte > 127:
            return 4, "", 128, byte - 128
        for number, (name, members) in enumerate(
            [("letter", list(letters)), ("digit", list(digits)), ("other", others)]
        ):
            if byte in members:
                return number + 1, name, len(members), members.index(byte)
        raise ValueError(byte)
