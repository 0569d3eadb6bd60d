"""The checksum CRC-32C (RFC 3720, B.4), which zlib's crc32 is not: its polynomial is Castagnoli's."""


def crc32c(data: bytes) -> int:
    """Compute the checksum."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _entry(crc: int) -> int:
    for _ in range(8):
        crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


_TABLE = tuple(map(_entry, range(256)))
