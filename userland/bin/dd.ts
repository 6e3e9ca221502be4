// dd: copies blocks, and converts. POSIX.1-2024 dd bs ibs obs count skip seek conv, with GNU's status,
// iflag and oflag, conv=fsync,fdatasync,excl,nocreat,sparse.

import {
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  SEEK_CUR,
} from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program, type Tool } from '../libc/program.ts';
import { humanDecimal, parseSize } from '../libc/text/numbers.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage:
      '[OPERAND]...\nif= of= bs= ibs= obs= cbs= count= skip= seek= conv= status= iflag= oflag=',
    short: '',
  },
  (tool, options) => {
    const plan = planOf(tool, options.operands);
    const startMs = tool.sys.monotonicMs();
    const tally: Tally = { startMs, inFull: 0, inPart: 0, outFull: 0, outPart: 0, bytes: 0 };
    const fds = open(tool, plan);
    copy(tool, plan, { ...fds, tally });
    if (plan.conv.has('fsync')) tool.sys.fsync(fds.output);
    else if (plan.conv.has('fdatasync')) tool.sys.fdatasync(fds.output);
    report(tool, plan, tally);
  },
);

interface Plan {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly ibs: number;
  readonly obs: number;
  /** One read is one write: bs= was given. */
  readonly direct: boolean;
  readonly count: number; // blocks, or bytes with iflag=count_bytes
  readonly skipBytes: number;
  readonly seekBytes: number;
  readonly conv: ReadonlySet<string>;
  readonly iflag: ReadonlySet<string>;
  readonly oflag: ReadonlySet<string>;
  readonly status: string;
}

interface Tally {
  readonly startMs: number;
  inFull: number;
  inPart: number;
  outFull: number;
  outPart: number;
  bytes: number;
}

const known = {
  conv: 'notrunc sync noerror fsync fdatasync lcase ucase swab excl nocreat sparse'.split(' '),
  flag: 'append direct sync dsync fullblock count_bytes skip_bytes seek_bytes nonblock noatime nofollow'.split(
    ' ',
  ),
};

function planOf(tool: Tool, operands: readonly string[]): Plan {
  const given = new Map<string, string>();
  for (const operand of operands) {
    const equals = operand.indexOf('=');
    const key = operand.slice(0, equals);
    if (
      equals < 0 ||
      !/^(if|of|bs|ibs|obs|cbs|count|skip|seek|iseek|oseek|conv|iflag|oflag|status)$/.test(key)
    )
      tool.misuse(`unrecognized operand ${quotedArgument(operand)}`);
    given.set(key, operand.slice(equals + 1));
  }
  const size = (key: string, usual: number): number => {
    const text = given.get(key);
    if (text === undefined) return usual;
    const factors = text.replace(/B$/, '').split('x').map(parseSize);
    const value = factors.reduce<number>((product, factor) => product * (factor ?? Number.NaN), 1);
    if (Number.isNaN(value)) tool.die(`invalid number: ${quotedArgument(text)}`);
    return value;
  };
  const words = (key: 'conv' | 'iflag' | 'oflag'): Set<string> => {
    const list = given.get(key)?.split(',') ?? [];
    const names = key === 'conv' ? known.conv : known.flag;
    const wrong = list.find((word) => !names.includes(word));
    if (wrong !== undefined)
      tool.misuse(
        `invalid ${key === 'conv' ? 'conversion' : key === 'iflag' ? 'input flag' : 'output flag'}: ${quotedArgument(wrong)}`,
      );
    return new Set(list);
  };
  const bs = size('bs', 0);
  const [ibs, obs] = [bs || size('ibs', 512), bs || size('obs', 512)];
  if (ibs === 0 || obs === 0 || (given.has('bs') && bs === 0))
    tool.die(`invalid number: ${quotedArgument(given.get('bs') ?? '0')}`);
  const inBytes = (key: string): boolean => given.get(key)?.endsWith('B') ?? false;
  const [iflag, oflag] = [words('iflag'), words('oflag')];
  const skip = size(given.has('iseek') ? 'iseek' : 'skip', 0);
  const seek = size(given.has('oseek') ? 'oseek' : 'seek', 0);
  if (inBytes('count')) iflag.add('count_bytes');
  return {
    from: given.get('if'),
    to: given.get('of'),
    ibs,
    obs,
    direct: bs > 0,
    count: size('count', Number.POSITIVE_INFINITY),
    skipBytes: iflag.has('skip_bytes') || inBytes('skip') ? skip : skip * ibs,
    seekBytes: oflag.has('seek_bytes') || inBytes('seek') ? seek : seek * obs,
    conv: words('conv'),
    iflag,
    oflag,
    status: given.get('status') ?? '',
  };
}

interface Fds {
  readonly input: number;
  readonly output: number;
}

function open(tool: Tool, plan: Plan): Fds {
  const { sys } = tool;
  const attempt = <T>(name: string, action: () => T): T => {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return tool.die(`failed to open ${quoted(name)}: ${strerror(error.errno)}`);
    }
  };
  const { from, to, conv } = plan;
  const input = from === undefined ? 0 : attempt(from, () => sys.open(from, O_RDONLY));
  // With seek the file is cut where writing begins, not at 0.
  const trunc = conv.has('notrunc') || plan.seekBytes > 0 ? 0 : O_TRUNC;
  const create = conv.has('nocreat') ? 0 : conv.has('excl') ? O_CREAT | O_EXCL : O_CREAT;
  const append = plan.oflag.has('append') ? O_APPEND : 0;
  const output =
    to === undefined
      ? 1
      : attempt(to, () => sys.open(to, O_WRONLY | create | trunc | append, 0o666));
  return { input, output };
}

function copy(tool: Tool, plan: Plan, at: Fds & { tally: Tally }): void {
  const { sys } = tool;
  if (!skipInput(tool, plan, at.input)) return;
  seekOutput(tool, plan, at.output);
  const writer = new Writer(tool, plan, at);
  const buffer = new Uint8Array(plan.ibs);
  let blocks = 0;
  let bytes = 0;
  const byBytes = plan.iflag.has('count_bytes');
  while (byBytes ? bytes < plan.count : blocks < plan.count) {
    const want = byBytes ? Math.min(plan.ibs, plan.count - bytes) : plan.ibs;
    let count: number;
    try {
      count = readBlock(tool, plan, { fd: at.input, into: buffer.subarray(0, want) });
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.warn(`error reading ${quoted(plan.from ?? 'standard input')}: ${strerror(error.errno)}`);
      if (!plan.conv.has('noerror')) break;
      blocks++;
      sys.lseek(at.input, plan.ibs, SEEK_CUR);
      if (plan.conv.has('sync')) writer.put(buffer.fill(0));
      continue;
    }
    if (count === 0) break;
    blocks++;
    bytes += count;
    if (count === plan.ibs) at.tally.inFull++;
    else at.tally.inPart++;
    if (plan.conv.has('sync') && count < plan.ibs) buffer.fill(0, count);
    writer.put(convert(buffer.subarray(0, plan.conv.has('sync') ? plan.ibs : count), plan));
  }
  writer.end();
}

function readBlock(tool: Tool, plan: Plan, at: { fd: number; into: Uint8Array }): number {
  if (!plan.iflag.has('fullblock')) return tool.sys.read(at.fd, at.into);
  let used = 0;
  while (used < at.into.length) {
    const count = tool.sys.read(at.fd, at.into.subarray(used));
    if (count === 0) break;
    used += count;
  }
  return used;
}

function skipInput(tool: Tool, plan: Plan, fd: number): boolean {
  if (plan.skipBytes === 0) return true;
  try {
    tool.sys.lseek(fd, plan.skipBytes, SEEK_CUR);
    return true;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
  }
  const buffer = new Uint8Array(Math.min(plan.skipBytes, 65536));
  for (let left = plan.skipBytes; left > 0; ) {
    const count = tool.sys.read(fd, buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === 0) {
      tool.note(`${quoted(plan.from ?? 'standard input')}: cannot skip to specified offset`);
      return true;
    }
    left -= count;
  }
  return true;
}

function seekOutput(tool: Tool, plan: Plan, fd: number): void {
  if (plan.seekBytes === 0) return;
  try {
    if (!plan.conv.has('notrunc') && plan.to !== undefined) tool.sys.ftruncate(fd, plan.seekBytes);
    tool.sys.lseek(fd, plan.seekBytes, SEEK_CUR);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.die(`${quoted(plan.to ?? 'standard output')}: cannot seek: ${strerror(error.errno)}`);
  }
}

function convert(data: Uint8Array, plan: Plan): Uint8Array {
  if (plan.conv.has('swab'))
    for (let i = 0; i + 1 < data.length; i += 2) data.set([data[i + 1] ?? 0, data[i] ?? 0], i);
  const [lower, upper] = [plan.conv.has('lcase'), plan.conv.has('ucase')];
  if (lower || upper)
    for (let i = 0; i < data.length; i++) {
      const c = data[i] ?? 0;
      if (upper && c >= 97 && c <= 122) data[i] = c - 32;
      if (lower && c >= 65 && c <= 90) data[i] = c + 32;
    }
  return data;
}

/** Collects output blocks of obs bytes; with bs= each read is written as it is. */
class Writer {
  readonly #tool: Tool;
  readonly #plan: Plan;
  readonly #at: Fds & { tally: Tally };
  readonly #block: Uint8Array;
  #used = 0;
  #hole = false;

  constructor(tool: Tool, plan: Plan, at: Fds & { tally: Tally }) {
    this.#tool = tool;
    this.#plan = plan;
    this.#at = at;
    this.#block = new Uint8Array(plan.direct ? 0 : plan.obs);
  }

  put(data: Uint8Array): void {
    if (this.#plan.direct) {
      this.#write(data);
      return;
    }
    for (let from = 0; from < data.length; ) {
      const some = data.subarray(from, from + this.#block.length - this.#used);
      this.#block.set(some, this.#used);
      this.#used += some.length;
      from += some.length;
      if (this.#used < this.#block.length) continue;
      this.#write(this.#block);
      this.#used = 0;
    }
  }

  end(): void {
    if (this.#used > 0) this.#write(this.#block.subarray(0, this.#used));
    if (!this.#hole) return;
    const size = this.#tool.sys.lseek(this.#at.output, 0, SEEK_CUR);
    this.#tool.sys.ftruncate(this.#at.output, size);
  }

  #write(data: Uint8Array): void {
    const { tally, output } = this.#at;
    try {
      this.#hole = this.#plan.conv.has('sparse') && data.every((byte) => byte === 0);
      if (this.#hole) this.#tool.sys.lseek(output, data.length, SEEK_CUR);
      else this.#tool.sys.write(output, data);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      report(this.#tool, this.#plan, tally);
      const name = quoted(this.#plan.to ?? 'standard output');
      this.#tool.die(`error writing ${name}: ${strerror(error.errno)}`);
    }
    tally.bytes += data.length;
    if (data.length === this.#plan.obs) tally.outFull++;
    else tally.outPart++;
  }
}

function report(tool: Tool, plan: Plan, tally: Tally): void {
  if (plan.status === 'none') return;
  tool.error(
    `${tally.inFull}+${tally.inPart} records in\n${tally.outFull}+${tally.outPart} records out\n`,
  );
  if (plan.status === 'noxfer') return;
  const { bytes } = tally;
  const sizes =
    bytes >= 1000
      ? ` (${[humanDecimal(bytes, 1000), ...(bytes >= 1024 ? [humanDecimal(bytes, 1024)] : [])].join(', ')})`
      : '';
  const seconds = (tool.sys.monotonicMs() - tally.startMs) / 1000;
  const rate = seconds > 0 ? humanDecimal(bytes / seconds, 1000) : 'Infinity B';
  const unit = bytes === 1 ? 'byte' : 'bytes';
  tool.error(`${bytes} ${unit}${sizes} copied, ${Number(seconds.toPrecision(6))} s, ${rate}/s\n`);
}
