// Faults of the drive as a driver meets them, the same cases for each controller: what each action does
// to data and to commands, and that the driver outlives drives that are silent.

import test from 'ava';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { FRAMES } from '../../../kernel/abi/memlayout.ts';
import { FaultGate } from '../../../kernel/ipc/fault/gate.ts';
import { Places } from '../../../kernel/ipc/fault/places.ts';
import { FaultTable } from '../../../kernel/ipc/fault/table.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { handClock, memoryDisk } from '../../hw/test-rig.ts';
import type { BlockRequest } from '../request.ts';
import { DATA, flush, must, request, rig, type Subject } from './subject.ts';

function faultRig(subject: Subject) {
  const ram = new SharedArrayBuffer(64 << 20);
  const table = new FaultTable(ram);
  table.format(1);
  const clock = handClock();
  const medium = memoryDisk(1000);
  const faults = new FaultGate({ ram, seat: 2, clock });
  const dma = { address: FRAMES, length: 1 << 20 };
  const made = rig(subject, [medium], { ram, time: clock, faults, dma });
  const disk = must(made.controller.disks[0]);
  const memory = (address: number, count = 1) => new Uint8Array(ram, address, count * 512);
  return { ...made, table, clock, medium, disk, memory };
}
type FaultRig = ReturnType<typeof faultRig>;

/** Starts a request; its outcome once it has ended. */
function begin({ pci, disk }: FaultRig, what: BlockRequest): { outcome: string } {
  const result = { outcome: 'waits' };
  const task = (function* (): Task<void> {
    try {
      yield* disk.submit(what);
      result.outcome = 'ok';
    } catch (error) {
      result.outcome = error instanceof PosixError ? error.message : String(error);
    }
  })();
  const step = (): void => {
    const next = task.next();
    if (!next.done) next.value.waiting.push({ resume: step });
  };
  step();
  settle(pci);
  return result;
}

function settle(pci: FaultRig['pci']): void {
  for (let i = 0; i < 1000 && pci.step(); i++);
}

/** Lets time pass, and the device work in it. */
function pass({ pci, clock }: FaultRig, ms: number): void {
  for (let i = 0; i < ms; i += 10) {
    clock.pass(10);
    settle(pci);
  }
}

const write = (it: FaultRig, lba: number, byte: number, count = 1): string => {
  it.memory(DATA, count).fill(byte);
  return begin(it, request('write', lba, count)).outcome;
};
const read = (it: FaultRig, lba: number): { outcome: string; bytes: Uint8Array } => {
  const to = DATA + 0x10_0000;
  it.memory(to).fill(0xee);
  const { outcome } = begin(it, request('read', lba, 1, to));
  return { outcome, bytes: it.memory(to).slice() };
};
const onMedium = ({ medium }: FaultRig, lba: number): number => medium.bytes[lba * 512] ?? -1;

export function faultCases(subject: Subject): void {
  dataFaults(subject);
  timeFaults(subject);
}

function dataFaults(subject: Subject): void {
  test(`${subject.name}: err fails the command once, and the next one works`, (t) => {
    const it = faultRig(subject);
    it.table.add(`on blk.${subject.prefix}0.write lba=7 nth=1 do err EIO`);
    t.regex(write(it, 7, 1), subject.words.badWrite);
    t.is(write(it, 7, 1), 'ok');
    t.is(read(it, 7).bytes[0], 1);
  });

  test(`${subject.name}: lie: a write is acknowledged and not done, a flush leaves the cache volatile`, (t) => {
    const it = faultRig(subject);
    it.table.add(`on blk.${subject.prefix}0.write lba=5 do lie`);
    t.is(write(it, 5, 9), 'ok');
    t.is(read(it, 5).bytes[0], 0);
    it.table.reset();
    it.table.add(`on blk.${subject.prefix}0.flush do lie`);
    t.is(write(it, 6, 9), 'ok');
    t.is(begin(it, flush).outcome, 'ok');
    t.is(onMedium(it, 6), 0);
    it.table.reset();
    begin(it, flush);
    t.is(onMedium(it, 6), 9);
  });

  test(`${subject.name}: torn: the first sectors are on the medium, the others never were`, (t) => {
    const it = faultRig(subject);
    write(it, 20, 1, 4);
    it.table.add(`on blk.${subject.prefix}0.write do torn 1K`);
    t.is(write(it, 20, 2, 4), 'ok');
    t.deepEqual(
      [20, 21, 22, 23].map((lba) => read(it, lba).bytes[0]),
      [2, 2, 1, 1],
    );
    t.deepEqual([onMedium(it, 20), onMedium(it, 21)], [2, 2]);
    it.table.reset();
    it.table.add(`on blk.${subject.prefix}0.write do torn 512, err EIO`);
    t.regex(write(it, 30, 3, 2), subject.words.badWrite);
    t.deepEqual([onMedium(it, 30), onMedium(it, 31)], [3, 0]);
  });

  test(`${subject.name}: flip turns one bit, of what is read or of what is written`, (t) => {
    const it = faultRig(subject);
    write(it, 3, 0);
    it.table.add(`on blk.${subject.prefix}0.read do flip 17`);
    t.is(read(it, 3).bytes[2], 2);
    it.table.reset();
    t.is(read(it, 3).bytes[2], 0);
    it.table.add(`on blk.${subject.prefix}0.write do flip`);
    write(it, 3, 0);
    it.table.reset();
    const bits = read(it, 3).bytes.reduce(
      (sum, byte) => sum + byte.toString(2).replaceAll('0', '').length,
      0,
    );
    t.is(bits, 1);
  });

  test(`${subject.name}: misdirect: the data goes to, or comes from, another place`, (t) => {
    const it = faultRig(subject);
    it.table.add(`on blk.${subject.prefix}0.write lba=10 do misdirect 50`);
    write(it, 10, 4);
    t.deepEqual([read(it, 10).bytes[0], read(it, 50).bytes[0]], [0, 4]);
    it.table.add(`on blk.${subject.prefix}0.read lba=11 do misdirect 50`);
    t.is(read(it, 11).bytes[0], 4);
  });

  test(`${subject.name}: stale: what the medium has, not what was written since`, (t) => {
    const it = faultRig(subject);
    write(it, 8, 1);
    begin(it, flush);
    write(it, 8, 2);
    it.table.add(`on blk.${subject.prefix}0.read nth=1 do stale`);
    t.is(read(it, 8).bytes[0], 1);
    t.is(read(it, 8).bytes[0], 2);
  });

  test(`${subject.name}: bad: the sectors fail from now on, until the rule goes`, (t) => {
    const it = faultRig(subject);
    it.table.add(`spot: on blk.${subject.prefix}0.read lba=100 nth=1 do bad`);
    t.regex(read(it, 100).outcome, subject.words.badRead);
    t.regex(read(it, 100).outcome, subject.words.badRead);
    t.regex(write(it, 99, 1, 3), subject.words.badWrite);
    t.is(read(it, 101).outcome, 'ok');
    it.table.remove('spot');
    t.is(read(it, 100).outcome, 'ok');
  });

  test(`${subject.name}: short: the device moves less than was asked for, and the driver sees it`, (t) => {
    const it = faultRig(subject);
    it.table.add(`on blk.${subject.prefix}0.read nth=1 do short`);
    t.regex(read(it, 1).outcome, subject.words.short);
    t.is(read(it, 1).outcome, 'ok');
  });

  test(`${subject.name}: delay: the command ends later, and those behind it wait as well`, (t) => {
    const it = faultRig(subject);
    it.table.add(`on blk.${subject.prefix}0.write do delay 500ms`);
    it.memory(DATA).fill(1);
    const slow = begin(it, request('write', 1));
    const behind = begin(it, request('read', 900, 1, DATA + 4096));
    pass(it, 490);
    t.deepEqual([slow.outcome, behind.outcome], ['waits', 'waits']);
    pass(it, 20);
    t.deepEqual([slow.outcome, behind.outcome], ['ok', 'ok']);
  });

  test(`${subject.name}: reorder: the command runs behind those issued with it`, (t) => {
    const it = faultRig(subject);
    it.table.add(`on blk.${subject.prefix}0.flush nth=1 do delay 100ms`);
    begin(it, flush);
    it.table.add(`on blk.${subject.prefix}0.write lba=1 do reorder`);
    const first = begin(it, request('write', 1));
    const second = begin(it, request('write', 500));
    pass(it, 200);
    t.deepEqual([first.outcome, second.outcome], ['ok', 'ok']);
    begin(it, flush);
  });
}

function timeFaults(subject: Subject): void {
  const silent = test.macro({
    exec(t, action: string) {
      const it = faultRig(subject);
      it.table.add(`on blk.${subject.prefix}0.write nth=1 do ${action}`);
      it.memory(DATA).fill(7);
      const lost = begin(it, request('write', 4));
      pass(it, 2900);
      t.is(lost.outcome, 'waits');
      pass(it, 300);
      t.is(lost.outcome, 'ok');
      t.is(read(it, 4).bytes[0], 7);
      t.true(it.log.includes(`${subject.prefix}0: no answer for 3 s: reset`));
    },
    title: (_, action: string) =>
      `${subject.name}: ${action}: the driver resets the drive and issues the command again`,
  });
  test(silent, 'drop');
  test(silent, 'hang');

  test(`${subject.name}: a drive that hangs at every write fails them with EIO, and still reads`, (t) => {
    const it = faultRig(subject);
    it.table.add(`on blk.${subject.prefix}0.write do hang`);
    const lost = begin(it, request('write', 4));
    pass(it, 20_000);
    t.regex(lost.outcome, /the drive is silent/);
    t.is(read(it, 4).outcome, 'ok');
  });

  test(`${subject.name}: an interrupt that is lost, late, or comes twice costs time and nothing else`, (t) => {
    const it = faultRig(subject);
    it.table.add(`on irq.${subject.driver} nth=1 do drop`);
    const lost = begin(it, request('write', 4));
    t.is(lost.outcome, 'waits');
    pass(it, 1100);
    t.is(lost.outcome, 'ok');
    t.true(it.log.includes(`${subject.prefix}0: an interrupt was lost`));
    it.table.reset();
    it.table.add(`on irq.${subject.driver} nth=1 do dup`);
    t.is(write(it, 4, 1), 'ok');
    it.table.reset();
    it.table.add(`on irq.${subject.driver} nth=1 do delay 300ms`);
    const late = begin(it, request('write', 4));
    pass(it, 290);
    t.is(late.outcome, 'waits');
    pass(it, 20);
    t.is(late.outcome, 'ok');
  });

  test(`${subject.name}: tag= follows the labels of the volume, through its partition`, (t) => {
    const it = faultRig(subject);
    const places = new Places(it.ram);
    places.setPartition(`${subject.prefix}0p1`, {
      disk: `${subject.prefix}0`,
      start: 100,
      count: 200,
    });
    places.setLabels(`${subject.prefix}0p1`, [{ tag: 'journal', start: 10, count: 5 }]);
    it.table.add(`on blk.${subject.prefix}0.write tag=journal do err EIO`);
    const fails = [109, 110, 114, 115].map((lba) => write(it, lba, 1) !== 'ok');
    t.deepEqual(fails, [false, true, true, false]);
    it.table.reset();
    it.table.add(`on blk.${subject.prefix}0.write tag=data do err EIO`);
    t.deepEqual(
      [99, 100, 112, 299, 300].map((lba) => write(it, lba, 1) !== 'ok'),
      [false, true, false, true, false],
    );
    places.setLabels(`${subject.prefix}0p1`, []);
    t.not(write(it, 112, 1), 'ok');
  });

  test(`${subject.name}: crash ends the worker once the rest of the rule is done`, (t) => {
    const it = faultRig(subject);
    it.table.add(`on blk.${subject.prefix}0.write do torn 512, crash`);
    t.throws(() => write(it, 40, 5, 2), {
      message: `fault at blk.${subject.prefix}0.write: crash`,
    });
    t.deepEqual([onMedium(it, 40), onMedium(it, 41)], [5, 0]);
  });
}
