// A pipe's frame of words and its ring of bytes in `ram`: the process that alone holds an end moves its
// bytes without the kernel (userland/libc/runtime/pipes.ts), and enters it only to sleep and to wake who sleeps.
//
//   +0   head      bytes ever read, mod 2^32; of the reading side
//   +4   tail      bytes ever written; of the writing side. Stored when the bytes lie in the ring.
//   +8   waiting   1 = somebody sleeps in the kernel until this pipe changes; the kernel's
//   +12  readers   ends that are open; the kernel's
//   +16  writers
//   +20  data      address of the ring
//
// Each side has one mover at a time: the one process that holds its end, or the kernel for all who
// share it. A process that is killed between two stores has read or written nothing.

export const PIPE_HEAD = 0;
export const PIPE_TAIL = 1;
export const PIPE_WAITING = 2;
export const PIPE_READERS = 3;
export const PIPE_WRITERS = 4;
export const PIPE_DATA = 5;
export const PIPE_WORDS = 8;

/** Bytes of the ring; a power of two, so that the counters may wrap. */
export const PIPE_SIZE = 64 * 1024;
