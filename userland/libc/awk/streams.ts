// What awk reads and writes besides its main input: files and commands, each open until it is closed
// or the program ends (POSIX.1-2024 XCU awk, "Output Statements", "Input Functions").

import { O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../../kernel/abi/errno.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import type { Tool } from '../program.ts';
import { waitFor } from '../spawn.ts';
import { Input, Output } from '../stdio.ts';
import { fromLatin1, toLatin1 } from '../text/latin1.ts';
import { regexOf } from './pattern.ts';
import { AwkError } from './syntax/ast.ts';

interface Out {
  readonly output: Output;
  readonly fd: number;
  readonly pid: number | undefined;
}

interface In {
  readonly reader: RecordReader;
  readonly fd: number;
  readonly pid: number | undefined;
}

export class Streams {
  readonly #tool: Tool;
  readonly #outputs = new Map<string, Out>();
  readonly #inputs = new Map<string, In>();

  constructor(tool: Tool) {
    this.#tool = tool;
  }

  output(how: '>' | '>>' | '|', name: string): Output {
    if (name === '/dev/stdout' || (name === '-' && how !== '|')) return this.#tool.out;
    const known = this.#outputs.get(name);
    if (known) return known.output;
    const opened = how === '|' ? this.#writeTo(name) : this.#create(name, how);
    this.#outputs.set(name, opened);
    return opened.output;
  }

  /** undefined when it cannot be opened: getline says -1. */
  input(from: 'file' | 'command', name: string): RecordReader | undefined {
    const known = this.#inputs.get(name);
    if (known) return known.reader;
    const opened = from === 'command' ? this.#readFrom(name) : this.#open(name);
    if (opened) this.#inputs.set(name, opened);
    return opened?.reader;
  }

  /** -1 when nothing of that name is open, otherwise the exit status of a command. */
  close(name: string): number {
    const output = this.#outputs.get(name);
    const input = this.#inputs.get(name);
    this.#outputs.delete(name);
    this.#inputs.delete(name);
    let status = -1;
    if (output) status = this.#end(output, () => output.output.flush());
    if (input) status = this.#end(input, () => undefined);
    return status;
  }

  closeAll(): void {
    this.flush();
    for (const name of [...this.#outputs.keys(), ...this.#inputs.keys()]) this.close(name);
  }

  flush(): void {
    this.#tool.out.flush();
    for (const { output } of this.#outputs.values()) output.flush();
  }

  /** -1 when no output of that name is open. */
  flushOne(name: string): number {
    const output = name === '/dev/stdout' ? this.#tool.out : this.#outputs.get(name)?.output;
    output?.flush();
    return output ? 0 : -1;
  }

  /** system(): the exit status, 256 and the signal that ended it. */
  system(command: string): number {
    this.flush();
    const { pid } = this.#spawn(command, []);
    const { status } = waitFor(this.#tool, pid);
    return status;
  }

  #end(stream: { fd: number; pid: number | undefined }, before: () => void): number {
    before();
    if (stream.fd > 2) this.#tool.sys.close(stream.fd);
    return stream.pid === undefined ? 0 : waitFor(this.#tool, stream.pid).status;
  }

  #create(name: string, how: '>' | '>>'): Out {
    const { sys } = this.#tool;
    const flags = O_WRONLY | O_CREAT | (how === '>' ? O_TRUNC : O_APPEND);
    const path = decodeText(fromLatin1(name));
    try {
      const fd = name === '/dev/stderr' ? 2 : sys.open(path, flags, 0o666);
      if (fd > 2) sys.setCloexec(fd, true);
      return { fd, pid: undefined, output: new Output(sys, fd, { trouble: 2 }) };
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      throw new AwkError(`cannot open ${path} for writing: ${strerror(error.errno)}`);
    }
  }

  #open(name: string): In | undefined {
    const { sys } = this.#tool;
    const path = decodeText(fromLatin1(name));
    try {
      const standard = name === '-' || name === '/dev/stdin';
      const fd = standard ? 0 : sys.open(path, O_RDONLY);
      if (fd > 2) sys.setCloexec(fd, true);
      return { fd, pid: undefined, reader: new RecordReader(new Input(sys, fd)) };
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return undefined;
    }
  }

  #writeTo(command: string): Out {
    const { sys } = this.#tool;
    this.flush();
    const { read, write } = this.#pipe();
    const { pid } = this.#spawn(command, [{ op: 'dup2', from: read, to: 0 }]);
    sys.close(read);
    return { fd: write, pid, output: new Output(sys, write, { trouble: 2 }) };
  }

  #readFrom(command: string): In {
    const { sys } = this.#tool;
    this.flush();
    const { read, write } = this.#pipe();
    const { pid } = this.#spawn(command, [{ op: 'dup2', from: write, to: 1 }]);
    sys.close(write);
    return { fd: read, pid, reader: new RecordReader(new Input(sys, read)) };
  }

  #pipe(): { read: number; write: number } {
    const { sys } = this.#tool;
    const ends = sys.pipe();
    sys.setCloexec(ends.read, true);
    sys.setCloexec(ends.write, true);
    return ends;
  }

  #spawn(command: string, fdActions: readonly { op: 'dup2'; from: number; to: number }[]) {
    const { sys } = this.#tool;
    const argv = ['sh', '-c', decodeText(fromLatin1(command))];
    return { pid: sys.spawn({ path: '/bin/sh', argv, env: sys.env, fdActions }) };
  }
}

/** Records out of a stream, by whatever RS is at the moment. */
export class RecordReader {
  readonly #input: Input;
  #text = '';
  #at = 0;
  #ended = false;

  constructor(input: Input) {
    this.#input = input;
  }

  /** The next record; undefined at the end. */
  next(separator: string): string | undefined {
    if (separator === '') return this.#paragraph();
    if (separator.length === 1) return this.#upTo(separator);
    return this.#upToPattern(separator);
  }

  /** A record that goes on through many chunks is put together once. */
  #upTo(separator: string): string | undefined {
    const end = this.#text.indexOf(separator, this.#at);
    if (end >= 0) return this.#take(end, end + 1);
    const parts = [this.#rest() ?? ''];
    for (this.#text = '', this.#at = 0; this.#fill(); this.#text = '') {
      const more = this.#text.indexOf(separator);
      if (more >= 0) return parts.join('') + this.#take(more, more + 1);
      parts.push(this.#text);
    }
    return parts.join('') || undefined;
  }

  /** A match at the very end of what was read may go on in what comes. */
  #upToPattern(separator: string): string | undefined {
    const regex = regexOf(separator);
    for (;;) {
      const rest = this.#text.slice(this.#at);
      let found = regex.longest(rest, 0);
      while (found && found.end === found.start) {
        found = found.end < rest.length ? regex.longest(rest, found.end + 1) : undefined;
      }
      const final = found && (found.end < rest.length || this.#ended);
      if (found && final) return this.#take(this.#at + found.start, this.#at + found.end);
      if (!this.#fill()) {
        if (this.#ended && found) continue;
        return this.#rest();
      }
    }
  }

  /** Records are parted by empty lines; those at the begin and the end do not count. */
  #paragraph(): string | undefined {
    for (;;) {
      while (this.#text[this.#at] === '\n') this.#at++;
      if (this.#at < this.#text.length || !this.#fill()) break;
    }
    const record = this.#upToPattern('\n\n+');
    return record?.replace(/\n$/, '');
  }

  #take(end: number, next: number): string {
    const record = this.#text.slice(this.#at, end);
    this.#at = next;
    return record;
  }

  #rest(): string | undefined {
    if (this.#at >= this.#text.length) return undefined;
    return this.#take(this.#text.length, this.#text.length);
  }

  #fill(): boolean {
    if (this.#ended) return false;
    const chunk = this.#input.chunk();
    if (chunk === undefined) {
      this.#ended = true;
      return false;
    }
    this.#text = this.#text.slice(this.#at) + toLatin1(chunk);
    this.#at = 0;
    return true;
  }
}
