// The sums that are no hashes: the CRC of cksum (POSIX.1-2024 cksum, ISO/IEC 8802-3), and those of the
// two historical sum(1)s, BSD's with a rotation and System V's without.

export interface Sum {
  update(data: Uint8Array): void;
  /** What the program prints before the name. */
  line(): string;
}

const POLYNOMIAL = 0x04c11db7;

/** The most significant bit first; the length follows the bytes, the least significant byte first. */
export class Crc implements Sum {
  #crc = 0;
  #bytes = 0;

  update(data: Uint8Array): void {
    let crc = this.#crc;
    for (let i = 0; i < data.length; i++)
      crc = (crc << 8) ^ (table[(crc >>> 24) ^ (data[i] as number)] as number);
    this.#crc = crc;
    this.#bytes += data.length;
  }

  line(): string {
    let crc = this.#crc;
    for (let rest = this.#bytes; rest > 0; rest = Math.floor(rest / 256))
      crc = (crc << 8) ^ (table[(crc >>> 24) ^ (rest & 0xff)] as number);
    return `${~crc >>> 0} ${this.#bytes}`;
  }
}

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value < 0 ? POLYNOMIAL : 0);
  return value;
});

/** 16 bits, rotated right before each byte is added; blocks of 1 KiB. */
export class BsdSum implements Sum {
  #sum = 0;
  #bytes = 0;

  update(data: Uint8Array): void {
    let sum = this.#sum;
    for (let i = 0; i < data.length; i++)
      sum = (((sum >> 1) | (sum << 15)) + (data[i] as number)) & 0xffff;
    this.#sum = sum;
    this.#bytes += data.length;
  }

  line(): string {
    const blocks = Math.ceil(this.#bytes / 1024);
    return `${String(this.#sum).padStart(5, '0')} ${String(blocks).padStart(5)}`;
  }
}

/** The sum modulo 2^32, folded twice to 16 bits; blocks of 512 bytes. */
export class SysvSum implements Sum {
  #sum = 0;
  #bytes = 0;

  update(data: Uint8Array): void {
    let sum = this.#sum;
    for (let i = 0; i < data.length; i++) sum = (sum + (data[i] as number)) >>> 0;
    this.#sum = sum;
    this.#bytes += data.length;
  }

  line(): string {
    const once = (this.#sum & 0xffff) + (this.#sum >>> 16);
    return `${(once & 0xffff) + (once >>> 16)} ${Math.ceil(this.#bytes / 512)}`;
  }
}
