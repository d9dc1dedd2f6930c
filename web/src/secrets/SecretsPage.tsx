import { ActionIcon, Button, Card, Group, Skeleton, Table, Text, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconKey, IconPlus, IconReplace, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { afterwards } from '@/api/afterwards';
import type { Bot, Secret } from '@/api/resources';
import { useBots } from '@/bots/queries';
import { useFormat } from '@/i18n/format';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { ConfirmByName } from '@/ui/ConfirmByName';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { useWorkers } from '@/workers/queries';
import { secretsOf } from './names';
import { useDeleteSecret, useSecrets } from './queries';
import { SecretDialog } from './SecretDialog';
import classes from './SecretsPage.module.css';

/** Keys and passwords that bots receive and nobody can read back. */
export function SecretsPage() {
  const { t } = useTranslation('secrets');
  const format = useFormat();
  const tenant = useTenantSlug();
  const may = usePermissions();
  const { data, error, refetch } = useSecrets();
  const { data: workers } = useWorkers();
  const { data: bots } = useBots();
  const [making, setMaking] = useState(false);
  const [replacing, setReplacing] = useState<Secret | null>(null);
  const [deleting, setDeleting] = useState<Secret | null>(null);
  const workerNames = useMemo(() => new Map((workers ?? []).map((w) => [w.id, w.name])), [workers]);
  const secrets = useMemo(() => [...(data ?? [])].sort((a, b) => format.compare(a.name, b.name)), [data, format]);
  const usersOf = (secret: Secret) => usersOfSecret(bots ?? [], secret);
  const mayChange = (secret: Secret) => may.changeSecrets && (!may.limited || Boolean(secret.worker_id));

  const create = may.changeSecrets && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
      {t('create')}
    </Button>
  );
  return (
    <>
      <PageHeader title={t('title')} text={t('text')} actions={secrets.length > 0 && create} />
      {failureOf({ data, error }) ? (
        <ErrorPanel error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton h={220} radius="lg" />
      ) : secrets.length === 0 ? (
        <Card>
          <EmptyState
            icon={IconKey}
            title={t('empty.title')}
            text={may.changeSecrets ? t('empty.text') : t('empty.textLimited')}
            action={create}
          />
        </Card>
      ) : (
        <Card padding={0} className={classes.card}>
          <Table className={classes.table}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('column.name')}</Table.Th>
                <Table.Th>{t('column.scope')}</Table.Th>
                <Table.Th>{t('column.bots')}</Table.Th>
                <Table.Th>{t('column.changed')}</Table.Th>
                {may.changeSecrets && (
                  <Table.Th>
                    <span className={classes.hidden}>{t('column.actions')}</span>
                  </Table.Th>
                )}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {secrets.map((secret) => {
                const users = usersOf(secret);
                return (
                  <Table.Tr key={secret.id}>
                    <Table.Th scope="row" className={classes.name}>
                      {secret.name}
                    </Table.Th>
                    <Table.Td data-label={t('column.scope')}>
                      {secret.worker_id ? (workerNames.get(secret.worker_id) ?? t('goneWorker')) : t('everyWorker')}
                    </Table.Td>
                    <Table.Td data-label={t('column.bots')}>
                      {users.length === 0 ? (
                        <Text span size="sm" c="dimmed">
                          {t('unused')}
                        </Text>
                      ) : (
                        users.slice(0, 3).map((bot, i) => (
                          <span key={bot.id}>
                            {i > 0 && ', '}
                            <Link
                              to="/t/$tenant/bots/$botId"
                              params={{ tenant, botId: bot.id }}
                              className={classes.link}
                            >
                              {bot.name}
                            </Link>
                          </span>
                        ))
                      )}
                      {users.length > 3 && t('moreBots', { count: users.length - 3 })}
                    </Table.Td>
                    <Table.Td data-label={t('column.changed')}>
                      <RelativeTime time={secret.updated_at} />
                    </Table.Td>
                    {may.changeSecrets && (
                      <Table.Td className={classes.actions}>
                        {mayChange(secret) && (
                          <Group gap={4} wrap="nowrap" justify="flex-end">
                            <Tooltip label={t('replace')}>
                              <ActionIcon
                                aria-label={t('replaceOf', { name: secret.name })}
                                onClick={() => setReplacing(secret)}
                              >
                                <IconReplace size={17} stroke={1.7} />
                              </ActionIcon>
                            </Tooltip>
                            <Tooltip label={t('delete')}>
                              <ActionIcon
                                color="red"
                                aria-label={t('deleteOf', { name: secret.name })}
                                onClick={() => setDeleting(secret)}
                              >
                                <IconTrash size={17} stroke={1.7} />
                              </ActionIcon>
                            </Tooltip>
                          </Group>
                        )}
                      </Table.Td>
                    )}
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Card>
      )}
      {making && <SecretDialog onClose={() => setMaking(false)} />}
      {replacing && <SecretDialog secret={replacing} onClose={() => setReplacing(null)} />}
      {deleting && <DeleteSecret secret={deleting} users={usersOf(deleting)} onClose={() => setDeleting(null)} />}
    </>
  );
}

function usersOfSecret(bots: readonly Bot[], secret: Secret): Bot[] {
  return bots.filter(
    (bot) => (!secret.worker_id || secret.worker_id === bot.worker_id) && secretsOf(bot).includes(secret.name),
  );
}

function DeleteSecret({ secret, users, onClose }: { secret: Secret; users: Bot[]; onClose: () => void }) {
  const { t } = useTranslation('secrets');
  const format = useFormat();
  const remove = useDeleteSecret();
  return (
    <ConfirmByName
      title={t('deleteTitle', { name: secret.name })}
      name={secret.name}
      action={t('deleteAction')}
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() =>
        afterwards(remove.mutateAsync(secret), () => {
          notifications.show({ message: t('deleted', { name: secret.name }) });
          onClose();
        })
      }
    >
      <Text size="sm">
        {users.length > 0
          ? t('deleteUsed', { count: users.length, names: format.list(users.slice(0, 5).map((b) => b.name)) })
          : t('deleteText')}
      </Text>
    </ConfirmByName>
  );
}
