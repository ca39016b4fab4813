#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the third-party symbols of the wheel's Arrow libraries private.

The wheel's libparquet exports the whole of OpenSSL's libcrypto and simdjson,
libarrow protobuf and opentelemetry, libarrow_compute re2, absl and utf8proc,
all without symbol versions.  Linked into one program with the system's own
OpenSSL, simdjson or re2, either side's calls end in the other's code.

For each defined dynamic symbol that is not Arrow's or Parquet's own, is not
part of the C++ run-time and is not needed by another of the libraries given,
this sets STV_HIDDEN (the dynamic loader then binds the library's own
relocations to itself and offers the symbol to nobody) and moves the name on by
one character (link editors that ignore the visibility no longer see the name).
No byte moves: the files keep their size.  Running it twice changes nothing.

Usage: privatise_symbols.py LIBRARY...   (ELF64, little-endian; edited in place)
"""
import re
import struct
import sys

OWN = re.compile(r"5arrow|7parquet|14arrow_vendored|^arrow_|^Arrow")
RUNTIME = re.compile(r"^_Z(T[ISV]|GV|N|NK|Z|St|NSt|NKSt)*(St|N9__gnu_cxx|NSt|NKSt)|^__cxa_")
SHT_DYNSYM, STV_MASK, STV_HIDDEN, SYM = 11, 3, 2, struct.Struct("<IBBH")


class Library:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            self.data = bytearray(f.read())
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise SystemExit(f"{path}: not a 64-bit little-endian ELF file")
        shoff, = struct.unpack_from("<Q", self.data, 0x28)
        size, count = struct.unpack_from("<HH", self.data, 0x3A)
        sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, shoff + i * size) for i in range(count)]
        self.dynsym = next(s for s in sections if s[1] == SHT_DYNSYM)
        self.strings = sections[self.dynsym[6]][4]

    def symbols(self):
        start, size, step = self.dynsym[4], self.dynsym[5], self.dynsym[9]
        for offset in range(start + step, start + size, step):
            name, info, other, section = SYM.unpack_from(self.data, offset)
            begin = self.strings + name
            text = self.data[begin:self.data.index(0, begin)].decode()
            yield offset, name, text, info, other, section


def main(paths):
    libraries = [Library(p) for p in paths]
    needed = {text for lib in libraries for _, _, text, _, _, section in lib.symbols() if section == 0}
    said = []
    for lib in libraries:
        hidden = kept = 0
        for offset, name, text, info, other, section in lib.symbols():
            if section == 0 or info >> 4 == 0 or len(text) < 2:
                continue
            if other & STV_MASK == STV_HIDDEN:
                hidden += 1
            elif text in needed or OWN.search(text) or RUNTIME.match(text):
                kept += 1
            else:
                SYM.pack_into(lib.data, offset, name + 1, info, other & ~STV_MASK | STV_HIDDEN, section)
                hidden += 1
        with open(lib.path, "wb") as f:
            f.write(lib.data)
        said.append(f"{lib.path.rsplit('/', 1)[-1]}: {hidden} symbols private, {kept} kept")
    print("; ".join(said))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(sys.argv[1:])
