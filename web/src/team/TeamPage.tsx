import { ActionIcon, Avatar, Badge, Button, Card, Group, Menu, Skeleton, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDots, IconMail, IconUserPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { afterwards } from '@/api/afterwards';
import { isApiError } from '@/api/problem';
import type { Invitation, Member, Role } from '@/api/resources';
import { initials } from '@/app/UserMenu';
import { useFormat } from '@/i18n/format';
import { useMe } from '@/session/queries';
import { usePermissions, useTenantSlug, useTotals } from '@/tenants/queries';
import { ConflictDialog } from '@/ui/ConflictDialog';
import { Dialog } from '@/ui/Dialog';
import { ErrorPanel, failureOf, InlineError } from '@/ui/errors';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { useWorkers } from '@/workers/queries';
import { type Access, AccessFields, accessProblem, workersOf } from './AccessFields';
import { InviteDialog } from './InviteDialog';
import { invitationsQuery, useMembers, useRemoveMember, useUpdateMember, useWithdraw } from './queries';
import classes from './TeamPage.module.css';

const rank: Record<Role, number> = { owner: 0, admin: 1, operator: 2, viewer: 3 };

/** Who works with the company's bots, and what each may do. */
export function TeamPage() {
  const { t } = useTranslation(['team', 'tenants', 'ui']);
  const format = useFormat();
  const tenant = useTenantSlug();
  const me = useMe();
  const may = usePermissions();
  const totals = useTotals();
  const members = useMembers(may.seeMembers);
  const mayInvite = may.changeMembers;
  const invitations = useQuery({ ...invitationsQuery(tenant), enabled: mayInvite });
  const { data: workers } = useWorkers();
  const workerNames = useMemo(() => new Map((workers ?? []).map((w) => [w.id, w.name])), [workers]);
  const [inviting, setInviting] = useState(false);
  const [editing, setEditing] = useState<Member | null>(null);
  const [removing, setRemoving] = useState<Member | null>(null);
  const sorted = useMemo(
    () =>
      [...(members.data ?? [])].sort(
        (a, b) => rank[a.role] - rank[b.role] || format.compare(a.name || a.email, b.name || b.email),
      ),
    [members.data, format],
  );
  const sees = (ids: string[]) =>
    ids.length === 0 ? t('everyWorker') : format.list(ids.map((id) => workerNames.get(id) ?? t('goneWorker')));
  const left = totals.data ? totals.data.limits.members - totals.data.totals.members : undefined;

  if (!may.seeMembers) {
    return (
      <>
        <PageHeader title={t('title')} />
        <Card>
          <Text c="dimmed">{t('limitedText')}</Text>
        </Card>
      </>
    );
  }
  return (
    <>
      <PageHeader
        title={t('title')}
        text={t('text')}
        actions={
          mayInvite && (
            <Button leftSection={<IconUserPlus size={16} />} disabled={left === 0} onClick={() => setInviting(true)}>
              {t('invite')}
            </Button>
          )
        }
      />
      {left === 0 && mayInvite && (
        <Text size="sm" className={classes.full}>
          {t('full', { plan: totals.data?.plan, limit: format.number(totals.data?.limits.members ?? 0) })}
        </Text>
      )}
      {failureOf(members) ? (
        <ErrorPanel error={members.error} retry={() => void members.refetch()} />
      ) : !members.data ? (
        <Skeleton h={240} radius="lg" />
      ) : (
        <Stack gap="lg">
          <Card component="section" padding={0} aria-labelledby="members">
            <Title order={2} id="members" className={classes.title}>
              {t('members')}
              <span className={classes.count}>{format.number(sorted.length)}</span>
            </Title>
            <ul className={classes.list}>
              {sorted.map((member) => {
                const self = member.user_id === me.id;
                const mine = may.role === 'owner' || member.role !== 'owner';
                const change = may.changeMembers && mine;
                return (
                  <li key={member.user_id} className={classes.row}>
                    <Avatar size={36} radius="xl" color="cobalt" variant="light" aria-hidden>
                      {initials(member.name || member.email)}
                    </Avatar>
                    <div className={classes.words}>
                      <span className={classes.name}>
                        {member.name || member.email}
                        {self && (
                          <Badge size="sm" color="gray" ml={8}>
                            {t('you')}
                          </Badge>
                        )}
                      </span>
                      <span className={classes.about}>{member.email}</span>
                    </div>
                    <div className={classes.access}>
                      <span>{t(`tenants:role.${member.role}`)}</span>
                      <span className={classes.about}>{sees(member.worker_ids)}</span>
                    </div>
                    {change || self ? (
                      <Menu position="bottom-end" width={220}>
                        <Menu.Target>
                          <ActionIcon size={34} aria-label={t('actionsOf', { name: member.name || member.email })}>
                            <IconDots size={18} />
                          </ActionIcon>
                        </Menu.Target>
                        <Menu.Dropdown>
                          {change && <Menu.Item onClick={() => setEditing(member)}>{t('edit')}</Menu.Item>}
                          <Menu.Item c="var(--bad)" onClick={() => setRemoving(member)}>
                            {self ? t('leave') : t('remove')}
                          </Menu.Item>
                        </Menu.Dropdown>
                      </Menu>
                    ) : (
                      <span className={classes.noMenu} />
                    )}
                  </li>
                );
              })}
            </ul>
          </Card>
          {mayInvite && (
            <Invitations
              invitations={invitations.data}
              error={failureOf(invitations)}
              retry={() => void invitations.refetch()}
              sees={sees}
            />
          )}
          <Card component="section" aria-labelledby="roles">
            <Title order={2} id="roles" mb="sm">
              {t('rolesTitle')}
            </Title>
            <dl className={classes.roles}>
              {(['owner', 'admin', 'operator', 'viewer'] as const).map((role) => (
                <div key={role}>
                  <dt>{t(`tenants:role.${role}`)}</dt>
                  <dd>{t(`roles.${role}`)}</dd>
                </div>
              ))}
            </dl>
          </Card>
        </Stack>
      )}
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
      {editing && <EditMember member={editing} sees={sees} onClose={() => setEditing(null)} />}
      {removing && (
        <RemoveMember member={removing} self={removing.user_id === me.id} onClose={() => setRemoving(null)} />
      )}
    </>
  );
}

interface InvitationsProps {
  invitations: Invitation[] | undefined;
  error: unknown;
  retry: () => void;
  sees: (ids: string[]) => string;
}

function Invitations({ invitations, error, retry, sees }: InvitationsProps) {
  const { t } = useTranslation(['team', 'tenants']);
  const format = useFormat();
  const withdraw = useWithdraw();
  if (error) return <ErrorPanel error={error} retry={retry} />;
  if (!invitations || invitations.length === 0) return null;
  return (
    <Card component="section" padding={0} aria-labelledby="invitations">
      <Title order={2} id="invitations" className={classes.title}>
        {t('invitations')}
        <span className={classes.count}>{format.number(invitations.length)}</span>
      </Title>
      <ul className={classes.list}>
        {invitations.map((invitation) => {
          const over = Date.parse(invitation.expires_at) < Date.now();
          return (
            <li key={invitation.id} className={classes.row}>
              <span className={classes.mail}>
                <IconMail size={18} stroke={1.6} aria-hidden />
              </span>
              <div className={classes.words}>
                <span className={classes.name}>{invitation.email}</span>
                <span className={classes.about}>
                  {over ? t('expired') : t('expires')} <RelativeTime time={invitation.expires_at} />
                </span>
              </div>
              <div className={classes.access}>
                <span>{t(`tenants:role.${invitation.role}`)}</span>
                <span className={classes.about}>{sees(invitation.worker_ids)}</span>
              </div>
              <Button
                size="xs"
                variant="default"
                loading={withdraw.isPending && withdraw.variables === invitation.id}
                aria-label={t('withdrawOf', { email: invitation.email })}
                onClick={() =>
                  withdraw.mutate(invitation.id, {
                    onSuccess: () => notifications.show({ message: t('withdrawn', { email: invitation.email }) }),
                    onError: (e) =>
                      notifications.show({ color: 'red', autoClose: 8000, message: <InlineError error={e} /> }),
                  })
                }
              >
                {t('withdraw')}
              </Button>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

interface EditProps {
  member: Member;
  sees: (ids: string[]) => string;
  onClose: () => void;
}

function EditMember({ member, sees, onClose }: EditProps) {
  const { t } = useTranslation(['team', 'tenants', 'ui']);
  const update = useUpdateMember();
  const [tried, setTried] = useState(false);
  const [access, setAccess] = useState<Access>({
    role: member.role,
    limited: member.worker_ids.length > 0,
    worker_ids: member.worker_ids,
  });
  const [conflict, setConflict] = useState<Member | null>(null);
  const save = (over: Member) =>
    update.mutate(
      { member: over, role: access.role, worker_ids: workersOf(access) },
      {
        onSuccess: () => {
          notifications.show({ message: t('ui:saved') });
          onClose();
        },
        onError: async (error) => {
          if (isApiError(error, 'version_mismatch')) setConflict((await update.reread(over.user_id)) ?? null);
        },
      },
    );
  if (conflict) {
    return (
      <ConflictDialog
        busy={update.isPending}
        differences={[
          {
            label: t('role'),
            theirs: t(`tenants:role.${conflict.role}`),
            mine: t(`tenants:role.${access.role}`),
          },
          { label: t('seesLabel'), theirs: sees(conflict.worker_ids), mine: sees(workersOf(access)) },
        ].filter((d) => d.theirs !== d.mine)}
        onTheirs={onClose}
        onMine={() => save(conflict)}
        onClose={() => setConflict(null)}
      />
    );
  }
  return (
    <Dialog onClose={onClose} title={t('editOf', { name: member.name || member.email })} size="lg">
      <form
        onSubmit={(e) => {
          e.preventDefault();
          setTried(true);
          if (!accessProblem(access)) save(member);
        }}
      >
        <Stack gap="lg">
          <AccessFields
            value={access}
            onChange={setAccess}
            error={tried && accessProblem(access) ? t('limitNone') : undefined}
          />
          {update.error && !isApiError(update.error, 'version_mismatch') && <InlineError error={update.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui:cancel')}
            </Button>
            <Button type="submit" loading={update.isPending}>
              {t('ui:save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function RemoveMember({ member, self, onClose }: { member: Member; self: boolean; onClose: () => void }) {
  const { t } = useTranslation(['team', 'ui']);
  const navigate = useNavigate();
  const remove = useRemoveMember();
  const name = member.name || member.email;
  return (
    <Dialog onClose={onClose} title={self ? t('leaveTitle') : t('removeTitle', { name })}>
      <Stack gap="md">
        <Text size="sm">{self ? t('leaveText') : t('removeText', { name })}</Text>
        {remove.error && <InlineError error={remove.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('ui:cancel')}
          </Button>
          <Button
            color="red"
            loading={remove.isPending}
            onClick={() =>
              afterwards(remove.mutateAsync(member.user_id), () => {
                notifications.show({ message: self ? t('left') : t('removed', { name }) });
                onClose();
                if (self) void navigate({ to: '/' });
              })
            }
          >
            {self ? t('leave') : t('remove')}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
