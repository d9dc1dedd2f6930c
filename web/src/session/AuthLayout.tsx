import { SegmentedControl, Text, Title, VisuallyHidden } from '@mantine/core';
import { IconBoxMultiple, IconHandMove, IconShieldLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { currentLanguage, type Language, setLanguage } from '@/i18n';
import { Logo } from '@/ui/Logo';
import classes from './AuthLayout.module.css';

/** The frame of pages that are seen without a log-in. */
export function AuthLayout({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  const { t } = useTranslation('session');
  return (
    <div className={classes.page}>
      <aside className={classes.story}>
        <Logo size={32} inverted />
        <div>
          <p className={classes.claim}>{t('story.claim')}</p>
          <ul className={classes.points}>
            <li>
              <IconShieldLock size={20} stroke={1.6} aria-hidden />
              {t('story.isolated')}
            </li>
            <li>
              <IconBoxMultiple size={20} stroke={1.6} aria-hidden />
              {t('story.organized')}
            </li>
            <li>
              <IconHandMove size={20} stroke={1.6} aria-hidden />
              {t('story.moves')}
            </li>
          </ul>
        </div>
        <Board />
      </aside>
      <main className={classes.main}>
        <div className={classes.language}>
          <VisuallyHidden id="language-label">{t('language')}</VisuallyHidden>
          <SegmentedControl
            size="xs"
            aria-labelledby="language-label"
            value={currentLanguage()}
            onChange={(value) => void setLanguage(value as Language)}
            data={[
              { value: 'pt-BR', label: 'Português' },
              { value: 'en', label: 'English' },
            ]}
          />
        </div>
        <div className={classes.form}>
          <div className={classes.mobileLogo}>
            <Logo size={32} />
          </div>
          <Title order={1}>{title}</Title>
          {text && (
            <Text c="dimmed" mt={6} mb="xl">
              {text}
            </Text>
          )}
          {children}
        </div>
      </main>
    </div>
  );
}

/** The product in one picture: Workers as boxes with bots inside. */
function Board() {
  return (
    <div className={classes.board} aria-hidden>
      {[3, 2, 4].map((bots, box) => (
        <div key={bots} className={classes.box}>
          {Array.from({ length: bots }, (_, bot) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a picture that never changes
            <span key={bot} data-busy={(box + bot) % 3 === 0 || undefined} />
          ))}
        </div>
      ))}
    </div>
  );
}
