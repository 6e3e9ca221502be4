// System calls on the machine: mount, umount, sync, uname, shutdown.

import { EINVAL, EPERM, fail } from '../abi/errno.ts';
import { SYS } from '../abi/syscall.ts';
import { encodeText } from '../abi/text.ts';
import { mount, umount } from '../supervisor/mounting.ts';
import { shutdown, syncAll } from '../supervisor/shutdown.ts';
import { type Calls, putText, textData, textsData } from './dispatch.ts';

const RELEASE = '0.1.0';

export const systemCalls: Calls = {
  *[SYS.sync](call) {
    const failed = yield* syncAll(call.kernel);
    return failed === undefined ? {} : fail(failed);
  },
  *[SYS.mount](call, request) {
    if (call.uid !== 0) fail(EPERM);
    const [source, target, type, options] = textsData(request);
    if (source === undefined || target === undefined) fail(EINVAL);
    yield* mount(call, { source, target, type: type ?? '', options: options ?? '' });
    return {};
  },
  *[SYS.umount](call, request) {
    if (call.uid !== 0) fail(EPERM);
    yield* umount(call, textData(request));
    return {};
  },
  *[SYS.uname](_call, request) {
    const words = ['Atoll', 'atoll', RELEASE, `Atoll ${RELEASE}`, 'node'];
    return putText(request, encodeText(words.join('\0')));
  },
  *[SYS.shutdown](call) {
    if (call.process.pid !== 1) fail(EPERM);
    yield* shutdown(call.kernel);
    return {};
  },
};
