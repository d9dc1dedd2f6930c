// The API's things under the names that the dashboard uses. All come from the generated schema.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Account = Schemas['Account'];
export type Artifact = Schemas['Artifact'];
export type Assistant = Schemas['Assistant'];
export type Bot = Schemas['Bot'];
export type BotState = Bot['status']['state'];
export type Capabilities = Schemas['Capabilities'];
export type ChannelCheck = Schemas['ChannelCheck'];
export type EnvVar = Schemas['EnvVar'];
export type Event = Schemas['Event'];
export type Invitation = Schemas['Invitation'];
export type Isolation = Worker['isolation'];
export type Limits = Schemas['Limits'];
export type LogLine = Schemas['LogLine'];
export type Member = Schemas['Member'];
export type Membership = Schemas['Membership'];
export type Move = Schemas['Move'];
export type Plan = Schemas['Plan'];
export type Program = Schemas['Program'];
export type ResizeEffect = Schemas['Resized']['effect'];
export type Role = Membership['role'];
export type Secret = Schemas['Secret'];
export type Size = Schemas['Size'];
export type Tenant = Schemas['Tenant'];
export type TenantTotals = Schemas['TenantTotals'];
export type Token = Schemas['Token'];
export type Totals = Schemas['Totals'];
export type UsagePoint = Schemas['UsagePoint'];
export type Worker = Schemas['Worker'];
export type WorkerState = Worker['status']['state'];
