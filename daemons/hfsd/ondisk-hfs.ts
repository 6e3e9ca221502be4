// Classic HFS on the disk: the master directory block and the catalog's records. Big-endian.
// Inside Macintosh: Files, chapter 2, "Data Organization on Volumes".

import { be16, be32, bytes, struct, u8 } from '../../kernel/abi/struct.ts';

export const HFS_SIGNATURE = 0x4244; // 'BD'

/** The sector of 512 bytes in which HFS counts. */
export const SECTOR = 512;

export const MasterDirectoryBlock = struct('MDB', 162, {
  drSigWord: be16(0),
  drCrDate: be32(2),
  drLsMod: be32(6),
  drAtrb: be16(10),
  drNmFls: be16(12), // files in the root
  drVBMSt: be16(14), // first sector of the volume bitmap
  drAllocPtr: be16(16),
  drNmAlBlks: be16(18),
  drAlBlkSiz: be32(20),
  drClpSiz: be32(24),
  drAlBlSt: be16(28), // sector of allocation block 0
  drNxtCNID: be32(30),
  drFreeBks: be16(34),
  drVN: bytes(36, 28), // a length and 27 characters
  drVolBkUp: be32(64),
  drVSeqNum: be16(68),
  drWrCnt: be32(70),
  drXTClpSiz: be32(74),
  drCTClpSiz: be32(78),
  drNmRtDirs: be16(82),
  drFilCnt: be32(84),
  drDirCnt: be32(88),
  drFndrInfo: bytes(92, 32),
  drEmbedSigWord: be16(124), // 'H+' in the wrapper of an HFS Plus volume (TN1150, "HFS Wrapper")
  drEmbedStart: be16(126),
  drEmbedCount: be16(128),
  drXTFlSize: be32(130),
  drXTExtRec: bytes(134, 12),
  drCTFlSize: be32(146),
  drCTExtRec: bytes(150, 12),
});
export type MasterDirectoryBlockView = InstanceType<typeof MasterDirectoryBlock>;

/** cdrDirRec */
export const HfsFolder = struct('cdrDirRec', 70, {
  cdrType: u8(0),
  dirFlags: be16(2),
  dirVal: be16(4),
  dirDirID: be32(6),
  dirCrDat: be32(10),
  dirMdDat: be32(14),
  dirBkDat: be32(18),
  finderInfo: bytes(22, 32), // dirUsrInfo, dirFndrInfo
});

/** cdrFilRec */
export const HfsFile = struct('cdrFilRec', 102, {
  cdrType: u8(0),
  filFlags: u8(2),
  filUsrWds: bytes(4, 16),
  filFlNum: be32(20),
  filStBlk: be16(24),
  filLgLen: be32(26),
  filPyLen: be32(30),
  filRStBlk: be16(34),
  filRLgLen: be32(36),
  filRPyLen: be32(40),
  filCrDat: be32(44),
  filMdDat: be32(48),
  filBkDat: be32(52),
  filFndrInfo: bytes(56, 16),
  filClpSize: be16(72),
  filExtRec: bytes(74, 12),
  filRExtRec: bytes(86, 12),
});

/** cdrThdRec and cdrFThdRec */
export const HfsThread = struct('cdrThdRec', 46, {
  cdrType: u8(0),
  thdParID: be32(10),
  thdCName: bytes(14, 32),
});
