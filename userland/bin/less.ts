// less: looks at files and pipes on a terminal, a screen at a time, forward and back, with searches.
// Options and keys are those of less(1) that people use; docs/terminal-programs.md lists them.

import { O_RDWR } from '../../kernel/abi/constants.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { realpath, statIfThere } from '../libc/files/path.ts';
import { runCommands, runKey, searchForward, setPattern, toLine } from '../libc/less/commands.ts';
import { lessOptions, lessSettings } from '../libc/less/options.ts';
import { Pager } from '../libc/less/pager.ts';
import { Options, parseOptions } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import type { Sys } from '../libc/sys.ts';

const usage = `[-eEfFgGiImMnNRsSX~] [-p PATTERN] [-x TABS] [-z LINES] [+COMMAND] [FILE]...
Shows FILEs, or standard input, on the terminal; h lists the keys.
  -e -E  leave at the second, the first end of the file    -F  leave when one screen holds it all
  -f     binary files, too, without asking     -i -I  case is ignored (by -i unless the pattern has capitals)
  -m -M  longer prompts     -N  line numbers      -p  begin at the first match     -R  show colours
  -s     squeeze blank lines      -S  cut long lines off      -X  leave the text on the screen
  +N begins at line N, +G at the end, +/PATTERN at a match. LESS holds further options.`;

export const main = program(
  {
    ...{ usage, ...lessOptions },
    rewrite: (args) => args.map((arg) => (arg.startsWith('+') ? `--plus=${arg.slice(1)}` : arg)),
    long: { ...lessOptions.long, 'plus=': 'plus' },
  },
  (tool, given) => {
    const { sys } = tool;
    const environment = parseOptions(lessOptions, environmentWords(sys.env.get('LESS') ?? ''));
    const all = new Options([...environment.list, ...given.list], given.operands);
    const files = once(sys, given.operands);
    const names = files.length > 0 ? files : ['-'];
    if (names[0] === '-' && given.operands.length === 0 && sys.isatty(0))
      return tool.misuse('missing filename');
    if (!sys.isatty(1)) return copy(tool, files);
    const pager = new Pager(tool, {
      files: names,
      settings: lessSettings(all),
      terminal: openTerminal(sys),
      init: all.has('X') ? 'none' : 'alternate',
    });
    return page(pager, [...all.values('p').map((pattern) => `/${pattern}`), ...all.values('plus')]);
  },
);

/** A file that is named twice is there once. */
function once(sys: Sys, names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => {
    const path = name !== '-' && statIfThere(sys, name) !== undefined ? realpath(sys, name) : name;
    return !seen.has(path) && seen.add(path);
  });
}

/** LESS=-RS, LESS=RS and LESS='-R -x4' all mean options. */
function environmentWords(text: string): string[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return words.map((word) => (word.startsWith('-') ? word : `-${word}`));
}

/** Without a screen, it is cat. */
function copy(tool: Tool, names: readonly string[]): undefined {
  tool.eachInput(names, (input) => {
    for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk())
      tool.out.write(chunk);
  });
}

/** The keys: standard input is often what is to be shown. */
function openTerminal(sys: Sys): number {
  try {
    return sys.open('/dev/tty', O_RDWR);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return 2;
  }
}

function page(pager: Pager, first: readonly string[]): number {
  const { tool } = pager;
  try {
    if (!openFirst(pager)) return 1;
    if (pager.settings.quitIfOneScreen && pager.files.length === 1 && fits(pager)) {
      return print(pager);
    }
    pager.screen.enter();
    pager.refreshOptions();
    for (const command of first) begin(pager, command);
    runCommands(pager);
  } finally {
    pager.screen.leave();
  }
  return tool.status;
}

/** The first file that can be opened; the others are told of. */
function openFirst(pager: Pager): boolean {
  while (pager.files.length > 0) {
    if (pager.open(0)) return true;
    if (pager.message !== '') {
      pager.screen.leave();
      pager.tool.warn(pager.message);
      pager.message = '';
    }
    pager.files.shift();
  }
  return false;
}

/** Whether all of it is on the first screen. */
function fits(pager: Pager): boolean {
  pager.patient = true;
  let fits = false;
  pager.patiently(() => {
    fits = pager.view.page().length <= pager.height && pager.view.atEnd;
  });
  pager.patient = false;
  return fits;
}

function print(pager: Pager): number {
  for (const row of pager.view.page()) pager.tool.out.text(`${row.text}\n`);
  return 0;
}

function begin(pager: Pager, command: string): void {
  pager.patiently(() => {
    if (/^\d+$/.test(command)) toLine(pager, Number(command));
    else if (!/^[/?]/.test(command))
      runKey(pager, command.slice(-1), Number.parseInt(command, 10) || 0);
    else if (setPattern(pager, command.slice(1), 'forward')) {
      const at = searchForward(pager, 0);
      if (at === undefined) pager.message = 'Pattern not found';
      else pager.view.show(at);
    }
  });
}
