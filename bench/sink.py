"""An SMTP server that takes everything and keeps nothing, in a process of its own: one that costs
as little as it can, for it shares the machine with what is measured."""

import asyncio


class Sink(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer, self.is_data = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data):
        self.buffer += data
        while self.take_one():
            pass

    def take_one(self) -> bool:
        end = b"\r\n.\r\n" if self.is_data else b"\r\n"
        line, found, rest = self.buffer.partition(end)
        if not found:
            return False
        self.buffer = rest
        self.is_data, answer = self.answer_to(line)
        self.transport.write(answer)
        return True

    def answer_to(self, line) -> tuple[bool, bytes]:
        verb = b"" if self.is_data else line[:4].upper()
        if verb == b"DATA":
            return True, b"354 go on\r\n"
        return False, b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"


async def main():
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
