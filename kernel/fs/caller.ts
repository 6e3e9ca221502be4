// Who asks a server inside the kernel: the context of its requests.

export interface Caller {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}
