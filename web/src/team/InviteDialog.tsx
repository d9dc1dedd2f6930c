import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/problem';
import { useFormat } from '@/i18n/format';
import { CopyField } from '@/ui/CopyField';
import { Dialog } from '@/ui/Dialog';
import { InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { type Access, AccessFields, accessProblem, workersOf } from './AccessFields';
import { useInvite } from './queries';

/** Invites a person; shows the link to send. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['team', 'ui']);
  const format = useFormat();
  const invite = useInvite();
  const [email, setEmail] = useState('');
  const [access, setAccess] = useState<Access>({ role: 'operator', limited: false, worker_ids: [] });
  const [tried, setTried] = useState(false);
  const errors = fieldErrors(invite.error);
  const emailError = errors.email ?? (tried && !/^\S+@\S+\.\S+$/.test(email.trim()) ? t('emailWrong') : undefined);
  const workersError = errors.worker_ids ?? (tried && accessProblem(access) ? t('limitNone') : undefined);

  if (invite.data) {
    return (
      <Dialog onClose={onClose} title={t('invited.title')} closeOnClickOutside={false} size="lg">
        <Stack gap="md">
          <Text size="sm">{t('invited.text', { email: invite.data.email })}</Text>
          <CopyField label={t('invited.link')} value={invite.data.url} />
          <Text size="xs" c="dimmed">
            {t('invited.until', { time: format.dateTime(invite.data.expires_at) })}
          </Text>
          <Group justify="flex-end">
            <Button onClick={onClose}>{t('invited.done')}</Button>
          </Group>
        </Stack>
      </Dialog>
    );
  }
  return (
    <Dialog onClose={onClose} title={t('invite')} size="lg">
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          setTried(true);
          if (!/^\S+@\S+\.\S+$/.test(email.trim()) || accessProblem(access)) return;
          invite.mutate({ email: email.trim(), role: access.role, worker_ids: workersOf(access) });
        }}
      >
        <Stack gap="lg">
          <TextInput
            type="email"
            label={t('email')}
            placeholder="ana@empresa.com.br"
            autoComplete="off"
            data-autofocus
            required
            value={email}
            onChange={(e) => setEmail(e.currentTarget.value)}
            error={emailError}
          />
          <AccessFields value={access} onChange={setAccess} error={workersError} />
          {invite.error &&
            (isApiError(invite.error, 'conflict') ? (
              <InlineError message={t('alreadyInvited')} />
            ) : (
              <InlineError error={invite.error} />
            ))}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui:cancel')}
            </Button>
            <Button type="submit" loading={invite.isPending}>
              {t('inviteAction')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
