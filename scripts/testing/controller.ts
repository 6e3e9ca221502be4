// A machine whose one disk is on any controller, with its volume where scripts look for it: a storm or
// a measurement runs unchanged on each.

import { type Atoll, type BootOptions, boot } from '../../index.ts';
import { CONTROLLERS, type ControllerName, diskName } from '../../kernel/abi/disk/controllers.ts';

export const FIRST = '/mnt/sdC0';

/** The controller of this name; throws for one that there is not. */
export function controllerCalled(name: string): ControllerName {
  const found = CONTROLLERS.find((one) => one === name);
  if (found === undefined) throw new Error(`--controller ${name}: want ${CONTROLLERS.join(', ')}`);
  return found;
}

/** Boots over an image, whose volume is at /mnt/sdC0 whatever it is plugged into. */
export async function bootOn(
  controller: ControllerName,
  file: string,
  options: BootOptions = {},
): Promise<Atoll> {
  const os = await boot({ ...options, disks: [{ file, controller }] });
  if (controller === 'ahci') return os;
  const disk = diskName(controller, 0);
  const script = `umount /mnt/${disk} && mkdir ${FIRST} && mount /dev/sd/${disk}/part/0 ${FIRST}`;
  const { status, stderr } = await os.exec(script);
  if (status === 0) return os;
  await os.shutdown();
  throw new Error(`${disk} cannot be mounted at ${FIRST}: ${stderr}`);
}
