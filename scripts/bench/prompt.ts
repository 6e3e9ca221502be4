// A process of its own for the rows `boot` and `memory`: boots to a prompt as `npm start` does, and
// tells when it stood there and what was resident then.

import { startMachine } from '../../host/boot.ts';

const [image = ''] = process.argv.slice(2);
let screen = '';
let told = false;

const machine = startMachine(
  { disks: [{ file: image }] },
  {
    interactive: true,
    console: {
      ready: () => true,
      onReady: () => () => undefined,
      write: (bytes) => {
        screen += Buffer.from(bytes).toString();
        if (told || !/atoll:.*# /.test(screen)) return; // its end is the line editor's business
        told = true;
        void tell();
      },
    },
  },
);

async function tell(): Promise<void> {
  const promptMs = performance.now();
  const rssMb = process.memoryUsage.rss() / 1e6;
  await machine.powerOff();
  process.stdout.write(JSON.stringify({ promptMs, rssMb }));
}
