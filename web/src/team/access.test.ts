import { expect, it } from 'vitest';
import { accessProblem, workersOf } from './AccessFields';

it('lets an owner see every Worker', () =>
  expect(workersOf({ role: 'owner', limited: true, worker_ids: ['w1'] })).toEqual([]));

it('limits only when asked to', () => {
  expect(workersOf({ role: 'viewer', limited: false, worker_ids: ['w1'] })).toEqual([]);
  expect(workersOf({ role: 'viewer', limited: true, worker_ids: ['w1'] })).toEqual(['w1']);
});

it('asks for a Worker when limited', () => {
  expect(accessProblem({ role: 'admin', limited: true, worker_ids: [] })).toBe('none');
  expect(accessProblem({ role: 'owner', limited: true, worker_ids: [] })).toBeUndefined();
  expect(accessProblem({ role: 'admin', limited: true, worker_ids: ['w1'] })).toBeUndefined();
});
