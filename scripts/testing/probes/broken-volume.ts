// The daemons' module with a bug: it throws after so many requests, amid whatever is under way.

import { serve as serveVolume } from '../../../daemons/main.ts';
import { Ring } from '../../../kernel/ipc/ring.ts';

const REQUESTS = 14;

export function serve(volume: Parameters<typeof serveVolume>[0]): void {
  serveVolume(volume);
  const requests = new Ring(volume.board.ram, volume.config.kernel.requests);
  volume.executor.poll(() => {
    if (requests.taken >= REQUESTS) throw new Error('a planted bug');
    return false;
  });
}
