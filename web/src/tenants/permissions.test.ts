import { expect, it } from 'vitest';
import type { Membership, Role } from '@/api/resources';
import { permissionsOf } from './queries';

const membership = (role: Role, over: Partial<Membership> = {}) =>
  ({ role, worker_ids: [], tenant: { status: 'active' }, ...over }) as Membership;

it('shows an operator in support mode nothing that outlasts the session, takes data out or destroys it', () => {
  const member = permissionsOf(membership('operator'));
  const support = permissionsOf(membership('operator', { support: { id: 'sup_1' } as Membership['support'] }));
  for (const may of ['deleteBots', 'changeAccess', 'takeFiles', 'ownTokens'] as const) {
    expect([may, member[may], support[may]]).toEqual([may, true, false]);
  }
  expect(support.changeBots).toBe(true);
});

it('allows by role, and nothing that changes a tenant which is suspended', () => {
  expect(permissionsOf(membership('viewer')).changeBots).toBe(false);
  expect(permissionsOf(membership('viewer')).ownTokens).toBe(true);
  expect(permissionsOf(membership('admin')).createWorkers).toBe(true);
  expect(permissionsOf(membership('admin', { worker_ids: ['wrk_1'] })).createWorkers).toBe(false);
  expect(permissionsOf(undefined).ownTokens).toBe(false);
  const suspended = { tenant: { status: 'suspended' } } as Partial<Membership>;
  expect(permissionsOf(membership('owner', suspended)).deleteBots).toBe(false);
});
