import { Card, Skeleton } from '@mantine/core';
import { IconArrowLeft, IconChevronRight, IconCode, IconMessageChatbot, IconServer2 } from '@tabler/icons-react';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { AnchorLink, ButtonLink } from '@/ui/links';
import { PageHeader } from '@/ui/PageHeader';
import { useWorkers } from '@/workers/queries';
import { useWorkerScope } from '@/workers/scope';
import { NewAssistant } from './NewAssistant';
import classes from './NewBotPage.module.css';
import { NewProgram } from './NewProgram';

const route = getRouteApi('/signed-in/t/$tenant/bots/new');
const kinds = { assistant: IconMessageChatbot, program: IconCode } as const;

/** Guides through the creation of a bot. */
export function NewBotPage() {
  const { t } = useTranslation('bots');
  const tenant = useTenantSlug();
  const may = usePermissions();
  const { kind } = route.useSearch();
  const scope = useWorkerScope();
  const { data: workers, error, refetch } = useWorkers();
  const usable = (workers ?? []).filter((w) => w.desired !== 'deleted');
  const worker = usable.find((w) => w.id === scope)?.id ?? (usable.length === 1 ? usable[0]?.id : undefined);

  const content = () => {
    if (failureOf({ data: workers, error })) return <ErrorPanel error={error} retry={() => void refetch()} />;
    if (!workers) return <Skeleton h={240} maw={860} radius="lg" />;
    if (usable.length === 0) {
      return (
        <Card>
          <EmptyState
            icon={IconServer2}
            title={t('empty.noWorker')}
            text={may.createWorkers ? t('empty.noWorkerText') : t('empty.noWorkerLimited')}
            action={
              may.createWorkers && (
                <ButtonLink to="/t/$tenant/workers/new" params={{ tenant }}>
                  {t('empty.createWorker')}
                </ButtonLink>
              )
            }
          />
        </Card>
      );
    }
    if (kind === 'assistant') return <NewAssistant worker={worker} />;
    if (kind === 'program') return <NewProgram worker={worker} />;
    return (
      <div className={classes.kinds}>
        {(['assistant', 'program'] as const).map((each) => {
          const Icon = kinds[each];
          return (
            <Link
              key={each}
              to="/t/$tenant/bots/new"
              params={{ tenant }}
              search={{ kind: each }}
              className={classes.kind}
            >
              <span className={classes.icon}>
                <Icon size={26} stroke={1.5} aria-hidden />
              </span>
              <span className={classes.words}>
                <strong>{t(`new.${each}`)}</strong>
                <span>{t(`new.${each}Text`)}</span>
              </span>
              <IconChevronRight size={18} aria-hidden />
            </Link>
          );
        })}
      </div>
    );
  };

  return (
    <>
      <PageHeader
        title={kind ? t(`new.${kind}Title`) : t('create')}
        text={kind ? t(`new.${kind}Intro`) : t('new.text')}
        back={
          kind ? (
            <AnchorLink to="/t/$tenant/bots/new" params={{ tenant }} search={{}} className={classes.back}>
              <IconArrowLeft size={15} aria-hidden />
              {t('new.otherKind')}
            </AnchorLink>
          ) : (
            <AnchorLink to="/t/$tenant/bots" params={{ tenant }} className={classes.back}>
              <IconArrowLeft size={15} aria-hidden />
              {t('title')}
            </AnchorLink>
          )
        }
      />
      {content()}
    </>
  );
}
