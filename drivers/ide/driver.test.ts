// The IDE driver over the controller's model, in one thread: the cases of every disk driver, by DMA and
// by PIO.

import { blockCases } from '../lib/testing/block-cases.ts';
import { faultCases } from '../lib/testing/fault-cases.ts';
import { treeCases } from '../lib/testing/tree-cases.ts';
import { ide } from './testing/subject.ts';

blockCases(ide('dma'));
faultCases(ide('dma'));
treeCases(ide('dma'));
blockCases(ide('pio'));
