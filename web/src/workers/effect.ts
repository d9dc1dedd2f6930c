import type { Capabilities, ResizeEffect, Size, Worker } from '@/api/resources';
import { sameSize } from './size';

/** What a new size will do to the bots of a Worker, as the API will answer it. */
export function resizeEffect(
  worker: Worker,
  size: Size,
  capabilities: Pick<Capabilities, 'live_resize'>,
): ResizeEffect {
  if (sameSize(worker.size, size)) return 'none';
  if (worker.desired !== 'running' || !worker.status.applied_size) return 'later';
  return capabilities.live_resize ? 'live' : 'restart';
}
