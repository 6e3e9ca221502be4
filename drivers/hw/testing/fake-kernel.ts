// A kernel for the tests of the board: it answers the host's calls in ways that the tests choose, and
// has workers powered on and off.

import type { Board } from '../../../kernel/abi/board.ts';
import { getLink, putLink, type ToBoard } from '../../../kernel/abi/board-link.ts';
import type { KernelConfig } from '../../../kernel/abi/seat-config.ts';
import { SYS } from '../../../kernel/abi/syscall.ts';
import { Executor } from '../../../kernel/ipc/executor.ts';
import { Ring } from '../../../kernel/ipc/ring.ts';

export function main(board: Board, config: KernelConfig): void {
  const { ram, seat, clock } = board;
  const executor = new Executor({
    ...{ ram, seat, clock },
    onBug: (error) => {
      throw error;
    },
  });
  const toBoard = new Ring(ram, config.board.toBoard);
  const requests = new Ring(ram, config.host.requests);
  const replies = new Ring(ram, config.host.replies);
  const window = new Uint8Array(ram, config.host.window, config.host.windowSize);
  executor.produce(toBoard);
  executor.produce(replies);

  const send = (message: ToBoard): void => {
    const slot = toBoard.reserve();
    if (slot === undefined) return void executor.after(1, () => send(message));
    slot.length = putLink(slot.payload, message);
    toBoard.publish();
  };
  const answer = (tag: number, errno: number, length = 0, r0 = 0): void => {
    const slot = replies.reserve();
    if (slot === undefined) return void executor.after(1, () => answer(tag, errno, length, r0));
    slot.view.setUint32(0, tag, true);
    slot.view.setUint32(4, errno, true);
    slot.view.setUint32(8, length, true);
    slot.view.setUint32(12, 0, true);
    slot.view.setFloat64(16, r0, true);
    slot.view.setFloat64(24, 0, true);
    slot.length = 32;
    replies.publish();
  };

  executor.consume(new Ring(ram, config.board.toKernel), (ring) => {
    const slot = ring.peek();
    const message = slot && getLink(slot.payload.subarray(0, slot.length));
    ring.release();
    if (message?.type === 'seatGone')
      send({ type: 'log', text: `${message.seat}: ${message.text}` });
    if (message?.type === 'console') send({ type: 'console', bytes: message.bytes });
    return true;
  });
  executor.consume(requests, (ring) => {
    const slot = ring.peek();
    if (slot === undefined) return false;
    const number = slot.view.getUint32(0, true);
    const tag = slot.view.getUint32(4, true);
    const at = slot.view.getUint32(8, true);
    const length = slot.view.getUint32(12, true);
    const a0 = slot.view.getFloat64(16, true);
    ring.release();
    switch (number) {
      case SYS.sleep: // answered late, others overtake it
        executor.after(a0, () => answer(tag, 0, 0, a0));
        break;
      case SYS.write: // turns its data round
        window.subarray(at, at + length).reverse();
        answer(tag, 0, length, length);
        break;
      case SYS.spawn: // a worker on the seat
        send({ type: 'powerOn', seat: a0, role: 'process' });
        answer(tag, 0);
        break;
      case SYS.kill:
        send({ type: 'powerOff', seat: a0 });
        answer(tag, 0);
        break;
      case SYS.exit:
        throw new Error('the kernel broke');
      case SYS.shutdown:
        send({ type: 'halted', text: '', status: 0 });
        break;
      case SYS.wait: // never answered
        break;
      default:
        answer(tag, a0);
    }
    return true;
  });
  send({ type: 'booted' });
  executor.run();
}
