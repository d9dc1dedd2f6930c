import { Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { getRouteApi, useLocation, useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/problem';
import { currentLanguage } from '@/i18n';
import { InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { AuthLayout } from './AuthLayout';
import { useAcceptInvitation } from './queries';

const route = getRouteApi('/invitation');
const shortestPassword = 10;

/** Accepts an invitation: a new person chooses name and password; one who has an account gives the password of it. */
export function InvitationPage() {
  const { t } = useTranslation('session');
  // The link carries the token behind a #, which browsers keep from servers and their logs.
  const { hash } = useLocation();
  const { token = hash } = route.useSearch();
  const router = useRouter();
  const accept = useAcceptInvitation();
  const form = useForm({
    initialValues: { name: '', password: '' },
    validate: {
      password: (v) => (v.length < shortestPassword ? t('invitation.short', { count: shortestPassword }) : null),
    },
  });

  return (
    <AuthLayout title={t('invitation.title')} text={t('invitation.text')}>
      <form
        onSubmit={form.onSubmit(({ name, password }) =>
          accept.mutate(
            { token, password, name: name.trim() || undefined, locale: currentLanguage() },
            {
              // To the company that invited, whichever the person was in before.
              onSuccess: ({ tenant }) => router.history.push(tenant ? `/t/${tenant}` : '/'),
              onError: (error) => form.setErrors(fieldErrors(error)),
            },
          ),
        )}
      >
        <Stack gap="md">
          <TextInput
            size="md"
            label={t('invitation.name')}
            autoComplete="name"
            autoFocus
            {...form.getInputProps('name')}
          />
          <PasswordInput
            size="md"
            label={t('password')}
            description={t('invitation.passwordHelp')}
            autoComplete="new-password"
            required
            {...form.getInputProps('password')}
          />
          {accept.error &&
            (isApiError(accept.error, 'not_found') ? (
              <InlineError message={t('invitation.gone')} />
            ) : isApiError(accept.error, 'unauthenticated') ? (
              <InlineError message={t('invitation.wrong')} />
            ) : (
              <InlineError error={accept.error} />
            ))}
          <Button type="submit" size="md" fullWidth loading={accept.isPending} disabled={!token}>
            {t('invitation.submit')}
          </Button>
          {!token && (
            <Text size="sm" c="dimmed">
              {t('invitation.noToken')}
            </Text>
          )}
        </Stack>
      </form>
    </AuthLayout>
  );
}
