// What a running awk program works on: variables, the record, the main input, streams, random numbers.

import { O_RDONLY } from '../../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../../kernel/abi/errno.ts';
import { decodeText, encodeText } from '../../../kernel/abi/text.ts';
import type { Tool } from '../program.ts';
import { Input } from '../stdio.ts';
import { fromLatin1, toLatin1 } from '../text/latin1.ts';
import { Record } from './record.ts';
import { ARGC, CONVFMT, FILENAME, FNR, NF, NR, RS, type Scope } from './scope.ts';
import { RecordReader, Streams } from './streams.ts';
import type { FunctionDefinition } from './syntax/ast.ts';
import { AwkError } from './syntax/ast.ts';
import { unescaped } from './syntax/lex.ts';
import { type AwkArray, Outside, toNumber, toText, type Value } from './value.ts';

/** Thrown by next, nextfile and exit where a function's frame lies between. */
export class Jump {
  readonly kind: 'next' | 'nextfile' | 'exit';

  constructor(kind: 'next' | 'nextfile' | 'exit') {
    this.kind = kind;
  }
}

export class Machine {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly tool: Tool;
  readonly scope: Scope;
  readonly streams: Streams;
  readonly record: Record;
  readonly random = new Random();
  /** Globals by slot; NF lives in the record. */
  readonly cells: Value[] = [];
  readonly arrays: AwkArray[] = [];
  /** Parameters of the function that runs. */
  frame: (Value | AwkArray)[] = [];
  depth = 0;
  returned: Value;
  exitStatus = 0;
  #input: { reader: RecordReader; fd: number } | undefined;
  #nextArgument = 1;
  #readAny = false;

  constructor(tool: Tool, scope: Scope, functions: ReadonlyMap<string, FunctionDefinition>) {
    this.functions = functions;
    this.tool = tool;
    this.scope = scope;
    this.streams = new Streams(tool);
    this.record = new Record({
      text: (slot) => this.text(slot),
      ...withConvfmt(() => this.text(CONVFMT)),
    });
    const initial = { FS: ' ', OFS: ' ', ORS: '\n', RS: '\n', SUBSEP: '\x1c', CONVFMT: '%.6g' };
    for (const [name, value] of Object.entries({ ...initial, OFMT: '%.6g' }))
      this.cells[scope.slot(name)] = value;
    for (const slot of [NR, FNR]) this.cells[slot] = 0;
    this.cells[scope.slot('RSTART')] = 0;
    this.cells[scope.slot('RLENGTH')] = -1;
  }

  /** A variable as text. */
  text(slot: number): string {
    const value = this.cells[slot];
    return typeof value === 'string' ? value : toText(value, '%.6g');
  }

  get convfmt(): string {
    const value = this.cells[CONVFMT];
    return typeof value === 'string' ? value : toText(value, '%.6g');
  }

  array(slot: number): AwkArray {
    let array = this.arrays[slot];
    if (array === undefined) {
      array = new Map();
      this.arrays[slot] = array;
    }
    return array;
  }

  setGlobal(slot: number, value: Value): void {
    if (slot === NF) this.record.count = toNumber(value);
    else this.cells[slot] = value;
  }

  /** `name=value` of -v and of the operands. */
  assign(name: string, value: string): void {
    if (this.scope.isGlobalArray(name)) this.tool.die(`can't assign to ${name}: it is an array`, 2);
    this.setGlobal(this.scope.slot(name), new Outside(unescaped(value)));
  }

  setArguments(argv: readonly string[]): void {
    const array = this.array(this.scope.slot('ARGV'));
    argv.forEach((arg, i) => {
      array.set(String(i), new Outside(toLatin1(encodeText(arg))));
    });
    this.cells[ARGC] = argv.length;
    const environ = this.array(this.scope.slot('ENVIRON'));
    const bytes = (text: string): string => toLatin1(encodeText(text));
    for (const [name, value] of this.tool.sys.env)
      environ.set(bytes(name), new Outside(bytes(value)));
  }

  /** The next record of the main input; undefined at its end. Counts it. */
  nextRecord(): string | undefined {
    for (;;) {
      this.#input ??= this.#openNext();
      if (this.#input === undefined) return undefined;
      const text = this.#readFrom(this.#input.reader);
      if (text !== undefined) {
        this.count(NR);
        this.count(FNR);
        return text;
      }
      this.nextFile();
    }
  }

  /** A record of a file or a command for getline: 0 at the end, -1 when it cannot be read. */
  readFrom(from: 'file' | 'command', name: string): string | 0 | -1 {
    const reader = this.streams.input(from, name);
    if (reader === undefined) return -1;
    try {
      return reader.next(this.text(RS)) ?? 0;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return -1;
    }
  }

  /** What is left of the current file is skipped. */
  nextFile(): void {
    if (this.#input && this.#input.fd > 2) this.tool.sys.close(this.#input.fd);
    this.#input = undefined;
  }

  count(slot: number): void {
    this.cells[slot] = toNumber(this.cells[slot]) + 1;
  }

  #readFrom(reader: RecordReader): string | undefined {
    try {
      return reader.next(this.text(RS));
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      const name = decodeText(fromLatin1(this.text(FILENAME)));
      this.tool.warn(`${name || '-'}: ${strerror(error.errno)}`, 2);
      return undefined;
    }
  }

  #openNext(): { reader: RecordReader; fd: number } | undefined {
    const argv = this.array(this.scope.slot('ARGV'));
    for (; this.#nextArgument < toNumber(this.cells[ARGC]); this.#nextArgument++) {
      const arg = toText(argv.get(String(this.#nextArgument)), this.convfmt);
      const assignment = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(arg);
      if (assignment) this.assign(assignment[1] ?? '', assignment[2] ?? '');
      else if (arg !== '') {
        this.#nextArgument++;
        return this.#open(arg);
      }
    }
    if (this.#readAny) return undefined;
    this.#readAny = true;
    return { fd: 0, reader: new RecordReader(new Input(this.tool.sys, 0)) };
  }

  #open(name: string): { reader: RecordReader; fd: number } {
    const { sys } = this.tool;
    this.#readAny = true;
    const path = decodeText(fromLatin1(name));
    let fd = 0;
    try {
      if (name !== '-') fd = sys.open(path, O_RDONLY);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      throw new AwkError(`cannot open ${path}: ${strerror(error.errno)}`);
    }
    if (fd > 2) sys.setCloexec(fd, true);
    this.cells[FILENAME] = name;
    this.cells[FNR] = 0;
    return { fd, reader: new RecordReader(new Input(sys, fd)) };
  }
}

const withConvfmt = (read: () => string): { readonly convfmt: string } => ({
  get convfmt() {
    return read();
  },
});

/** rand() and srand(): xorshift128, seeded by a number. */
class Random {
  #state = new Uint32Array(4);
  seed = 0;

  constructor() {
    this.reseed(0);
  }

  reseed(seed: number): void {
    this.seed = seed;
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, seed);
    let mixed = view.getUint32(0) ^ view.getUint32(4) ^ 0x9e37_79b9;
    for (let i = 0; i < 4; i++) {
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b) + 0x6d2b_79f5;
      this.#state[i] = (mixed ^ (mixed >>> 13)) | 1;
    }
  }

  /** 0 ≤ … < 1, of 53 bits. */
  next(): number {
    return ((this.#word() >>> 5) * 67_108_864 + (this.#word() >>> 6)) / 9_007_199_254_740_992;
  }

  #word(): number {
    const [x = 0, , , w = 0] = this.#state;
    const t = x ^ (x << 11);
    this.#state.copyWithin(0, 1);
    this.#state[3] = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return this.#state[3] ?? 0;
  }
}
