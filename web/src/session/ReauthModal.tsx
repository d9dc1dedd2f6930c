import { Anchor, Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Account } from '@/api/resources';
import { InlineError } from '@/ui/errors';
import { setSessionEnded, useSessionEnded } from './ended';
import { meKey, useLogin } from './queries';

/** Asks for the password again when the log-in ends, over the page as it is, so that nothing typed is lost. */
export default function ReauthModal() {
  const { t } = useTranslation('session');
  const ended = useSessionEnded();
  const cache = useQueryClient();
  const me = cache.getQueryData<Account>(meKey);
  const login = useLogin();
  const form = useForm({ initialValues: { password: '' } });

  return (
    <Modal
      opened={ended && me !== undefined}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t('ended.title')}
      zIndex={1000}
    >
      <form
        onSubmit={form.onSubmit(({ password }) =>
          login.mutate(
            { email: me?.email ?? '', password },
            {
              onSuccess: () => {
                form.reset();
                setSessionEnded(false);
                void cache.invalidateQueries();
              },
            },
          ),
        )}
      >
        <Stack gap="md">
          <Text size="sm" c="dimmed">
            {t('ended.text', { email: me?.email })}
          </Text>
          <input type="hidden" name="username" autoComplete="username" value={me?.email ?? ''} readOnly />
          <PasswordInput
            label={t('password')}
            autoComplete="current-password"
            data-autofocus
            required
            {...form.getInputProps('password')}
          />
          {login.error && <InlineError error={login.error} />}
          <Group justify="space-between">
            <Anchor href="/login" size="sm">
              {t('ended.other')}
            </Anchor>
            <Button type="submit" loading={login.isPending}>
              {t('ended.continue')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
