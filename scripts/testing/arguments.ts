// The options of the campaigns' commands: --help prints the usage, what is not understood ends with status 2.

import { type ParseArgsConfig, parseArgs } from 'node:util';

/** The values of the options that the command was given; does not return behind --help or an error. */
export function commandOptions<C extends ParseArgsConfig>(
  usage: string,
  config: C,
): ReturnType<typeof parseArgs<C>> {
  if (process.argv.slice(2).includes('--help')) {
    process.stdout.write(usage);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n${usage}`);
    process.exit(2);
  }
}
