// Generated from api/openapi.json by `npm run generate`. Do not edit.

export interface paths {
    "/capabilities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the engine of Workers can do */
        get: operations["capabilities-get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Become a member by an invitation
         * @description A new person chooses a name and a password; one who has an account gives the password of it. Logs in.
         */
        post: operations["invitation-accept"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in
         * @description Sets the cookie baas_session (HttpOnly). Requests from other sites are refused.
         */
        post: operations["account-log-in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Log out */
        post: operations["account-log-out"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is logged in */
        get: operations["account-get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change one's own name, language or password
         * @description A new password ends every log-in of the person; the answer sets the cookie of a new one.
         */
        patch: operations["account-update"];
        trace?: never;
    };
    "/me/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tenants that one is a member of */
        get: operations["account-tenants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Plans and their limits */
        get: operations["plan-list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/{plan}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Make or change a plan (operators of the platform)
         * @description Replaces the whole plan, so it takes no Idempotency-Key: the same request twice comes to the same.
         */
        put: operations["plan-put"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/platform/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the platform is (operators of the platform)
         * @description Asks the database and the engine of Workers at the time of the request. A part that doesn't answer says so; the answer is 200 then too.
         */
        get: operations["platform-health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/platform/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tenants with what they have and used (operators of the platform)
         * @description Numbers, and nothing of what is inside. The usage is that of the last 24 full hours.
         */
        get: operations["platform-tenants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tenants
         * @description All of them for operators of the platform, their own for everybody else.
         */
        get: operations["tenant-list"];
        put?: never;
        /**
         * Make a tenant (operators of the platform)
         * @description Takes no Idempotency-Key: a request that is sent again finds the slug in use and is answered 409 name_taken.
         */
        post: operations["tenant-create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A tenant */
        get: operations["tenant-get"];
        put?: never;
        post?: never;
        /**
         * Delete a tenant
         * @description Refused with 409 while it has Workers: delete them first. Everything else of the tenant goes with it.
         */
        delete: operations["tenant-delete"];
        options?: never;
        head?: never;
        /**
         * Change a tenant
         * @description Owners change the name; plan and status are for operators of the platform.
         */
        patch: operations["tenant-update"];
        trace?: never;
    };
    "/tenants/{tenant}/bots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Bots */
        get: operations["bot-list"];
        put?: never;
        /** Make a bot on a Worker */
        post: operations["bot-create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A bot */
        get: operations["bot-get"];
        put?: never;
        post?: never;
        /** Delete a bot with its directory */
        delete: operations["bot-delete"];
        options?: never;
        head?: never;
        /**
         * Change a bot
         * @description assistant or program replaces the whole of it. The bot restarts when that changes what runs.
         */
        patch: operations["bot-update"];
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/access-token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a new access token for a bot
         * @description For access: token. The one before stops working. The answer holds it, once.
         */
        post: operations["bot-access-token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/channels/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check an assistant's channels
         * @description Asks Telegram and WhatsApp from inside the Worker whether the secrets, the account and the webhook are right. What is wrong is in the checks, with a stable code; the answer is 200 then too.
         */
        post: operations["bot-check-channels"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/channels/telegram/webhook": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let Telegram send messages to an assistant
         * @description Calls Telegram's setWebhook from inside the Worker, with the bot's address and the secret that it expects. Answers the checks of the channel after that. May be repeated.
         */
        post: operations["bot-telegram-webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download a program's files
         * @description The archive as it was uploaded, tar.gz or zip.
         */
        get: operations["bot-get-files"];
        /**
         * Upload a program's files
         * @description A tar.gz or zip archive of at most 64 MiB, which is unpacked to at most 512 MiB. Replaces what was uploaded before; the bot restarts on it.
         */
        put: operations["bot-put-files"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a bot wrote
         * @description One JSON document a line. With follow it goes on until the client ends it; with Accept: text/event-stream the lines come as server-sent events named line, and an error as an event named error.
         */
        get: operations["bot-logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a bot a test message
         * @description The bot answers as it would on its chat page.
         */
        post: operations["bot-send-message"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move a bot to another Worker
         * @description A hand-over: the bot is stopped, its directory goes along, and it starts on the other Worker; requests to it wait. What fails goes back.
         */
        post: operations["bot-move"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An address that lets one's browser reach a bot for an hour */
        post: operations["bot-preview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Restart a bot */
        post: operations["bot-restart"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a bot */
        post: operations["bot-start"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/bots/{bot}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop a bot */
        post: operations["bot-stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Server-sent events: what to read again
         * @description The name of each event is the kind of thing that changed, its data the change. It begins with resync, which asks to read everything; comments keep the connection open.
         */
        get: operations["change-stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened, newest first */
        get: operations["event-list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/events.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The same as CSV, all of it
         * @description A cell that a spreadsheet would take for a formula begins with an apostrophe.
         */
        get: operations["event-csv"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Open invitations */
        get: operations["invitation-list"];
        put?: never;
        /**
         * Invite a person
         * @description The answer holds the link, once. An operator of the platform invites the first owner.
         */
        post: operations["invitation-create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/invitations/{invitation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take an invitation back */
        delete: operations["invitation-delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Members of a tenant */
        get: operations["member-list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/members/{member}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A member */
        get: operations["member-get"];
        put?: never;
        post?: never;
        /**
         * Remove a member, or leave
         * @description The member's API tokens end with it.
         */
        delete: operations["member-remove"];
        options?: never;
        head?: never;
        /**
         * Change a member's role or Workers
         * @description The last owner stays an owner. Only owners make, change and remove owners.
         */
        patch: operations["member-update"];
        trace?: never;
    };
    "/tenants/{tenant}/moves": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Moves, newest first */
        get: operations["move-list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/moves/{move}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A move */
        get: operations["move-get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Secrets, without their values */
        get: operations["secret-list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/secrets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set a secret
         * @description Bots that use it get the new value with their next start. The value can't be read back.
         */
        put: operations["secret-put"];
        post?: never;
        /**
         * Delete a secret
         * @description Refused with 409 while a bot needs it.
         */
        delete: operations["secret-delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/support": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Support sessions of a tenant, newest first
         * @description Who of the platform was or is in the tenant, why and until when. Every member sees it.
         */
        get: operations["support-list"];
        put?: never;
        /**
         * Open a support session (operators of the platform)
         * @description For its time the operator acts in the tenant like a member with the role operator, without API tokens, access tokens of bots, programs' files and deletions. The tenant sees who, why and until when. 409 while the operator has one open there.
         */
        post: operations["support-open"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/support/{support}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End a support session
         * @description For operators of the platform and for owners of the tenant. May be repeated.
         */
        delete: operations["support-end"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * API tokens
         * @description Those of everybody for owners and admins, their own for others.
         */
        get: operations["token-list"];
        put?: never;
        /**
         * Make an API token for oneself
         * @description It may do what its person's role allows within its scopes, in this tenant. The answer holds its secret, once.
         */
        post: operations["token-create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End an API token */
        delete: operations["token-delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/totals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a tenant has, and what its plan allows */
        get: operations["tenant-totals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What Workers and bots used
         * @description A step without a report has no point: a gap is a gap.
         */
        get: operations["usage-get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/usage.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same as CSV */
        get: operations["usage-csv"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/workers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Workers */
        get: operations["worker-list"];
        put?: never;
        /**
         * Make a Worker
         * @description Answers at once; the machine is made after that. Its state, events and the stream of changes tell how far it is.
         */
        post: operations["worker-create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/workers/{worker}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A Worker */
        get: operations["worker-get"];
        put?: never;
        post?: never;
        /**
         * Delete a Worker with its bots and its volume
         * @description Its bots go with it. Answers at once with the Worker, which goes away after that.
         */
        delete: operations["worker-delete"];
        options?: never;
        head?: never;
        /**
         * Change a Worker
         * @description A new image or isolation restarts its machine.
         */
        patch: operations["worker-update"];
        trace?: never;
    };
    "/tenants/{tenant}/workers/{worker}/resize": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change a Worker's limits, up or down
         * @description The answer says whether its bots go on (live) or restart.
         */
        post: operations["worker-resize"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/workers/{worker}/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Restart a Worker and its bots */
        post: operations["worker-restart"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/workers/{worker}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a Worker */
        post: operations["worker-start"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}/workers/{worker}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop a Worker and its bots; its volume stays */
        post: operations["worker-stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Account: {
            /** Format: date-time */
            created_at: string;
            email: string;
            id: string;
            /**
             * @description Language of the dashboard and of mails
             * @enum {string}
             */
            locale: "pt-BR" | "en";
            name: string;
            operator: boolean;
            /** @description Where the person is a member, or in support mode */
            tenants: components["schemas"]["Membership"][];
            /** Format: date-time */
            updated_at: string;
        };
        AccountUpdate: {
            /** @description Needed for a new password */
            current_password?: string;
            /** @enum {string} */
            locale?: "pt-BR" | "en";
            name?: string;
            /** @description The new password, at least 10 characters */
            password?: string;
        };
        AgentCensus: {
            /**
             * Format: int64
             * @description Of these, with an agent that is connected
             */
            connected: number;
            /**
             * Format: int64
             * @description Workers that should run
             */
            expected: number;
            /**
             * Format: int64
             * @description Of these, whose agent's connection is lost
             */
            unreachable: number;
        };
        Artifact: {
            /** @description sha256: and 64 hexadecimal digits */
            digest: string;
            /** @enum {string} */
            format: "tar.gz" | "zip";
            /**
             * Format: int64
             * @description Bytes
             */
            size: number;
            /** Format: date-time */
            uploaded_at: string;
        };
        Assistant: {
            /** @description Secret with the endpoint's key; OPENAI_API_KEY when empty */
            api_key_secret?: string;
            /** @description Secret with the endpoint's base URL; OPENAI_BASE_URL when empty */
            base_url_secret?: string;
            handoff?: components["schemas"]["Handoff"];
            /**
             * Format: int64
             * @description 1024 when 0
             */
            max_tokens?: number;
            /**
             * Format: int64
             * @description Messages of the conversation that the model is shown; 0: none
             */
            memory_messages?: number;
            /**
             * @description builtin/echo when empty, which needs no key; any other name is asked of the OpenAI-compatible endpoint
             * @example builtin/echo
             */
            model?: string;
            personality?: components["schemas"]["Personality"];
            quick_replies?: string[];
            system_prompt?: string;
            telegram?: components["schemas"]["Telegram"];
            /** Format: double */
            temperature?: number;
            welcome?: string;
            whatsapp?: components["schemas"]["WhatsApp"];
        };
        Bot: {
            /** @enum {string} */
            access: "public" | "token" | "private";
            assistant?: components["schemas"]["Assistant"];
            /** Format: date-time */
            created_at: string;
            /** @enum {string} */
            desired: "running" | "stopped";
            /** @description The uploaded archive of a program */
            files?: components["schemas"]["Artifact"];
            id: string;
            /** @enum {string} */
            kind: "assistant" | "program";
            /** @description The move in progress, if any */
            move_id?: string;
            name: string;
            program?: components["schemas"]["Program"];
            /** Format: int64 */
            restarts_requested: number;
            status: components["schemas"]["BotStatus"];
            tenant_id: string;
            /** Format: date-time */
            updated_at: string;
            /** @description Its public address; the API fills it in, it is not stored */
            url?: string;
            /**
             * Format: int64
             * @description Counts changes of the settings; the ETag
             */
            version: number;
            worker_id: string;
        };
        BotCreate: {
            /**
             * @description private when empty
             * @enum {string}
             */
            access?: "public" | "token" | "private";
            assistant?: components["schemas"]["Assistant"];
            /**
             * @description running when empty
             * @enum {string}
             */
            desired?: "running" | "stopped";
            /** @enum {string} */
            kind: "assistant" | "program";
            name: string;
            program?: components["schemas"]["Program"];
            worker_id: string;
        };
        BotMessage: {
            /** @description From the answer before, to go on with it; a new conversation when empty */
            conversation?: string;
            message: string;
        };
        BotReply: {
            conversation: string;
            /** @description The bot asks for a person to take over */
            handoff: boolean;
            quick_replies?: string[];
            reply: string;
        };
        BotStatus: {
            /**
             * Format: int64
             * @description Of the last end; 128+n after signal n
             */
            exit_code?: number;
            /** Format: date-time */
            next_retry_at?: string;
            /** @description Why it is in this state, for a person */
            reason: string;
            /**
             * Format: int64
             * @description Starts after the process ended by itself
             */
            restarts: number;
            /** Format: date-time */
            since: string;
            /** @enum {string} */
            state: "pending" | "starting" | "running" | "unhealthy" | "backoff" | "crash_loop" | "stopped" | "completed" | "moving" | "failed";
        };
        BotUpdate: {
            /** @enum {string} */
            access?: "public" | "token" | "private";
            assistant?: components["schemas"]["Assistant"];
            name?: string;
            program?: components["schemas"]["Program"];
        };
        Capabilities: {
            /**
             * @description watched: the agent stops the bots of a Worker that passes its limit
             * @enum {string}
             */
            disk_limit: "enforced" | "watched" | "none";
            /** @enum {string} */
            engine: "docker" | "kubernetes" | "process" | "fake";
            /** @description Workers may run images of their own */
            images: boolean;
            /** @description Levels it gives, with what gives them (runc 1.1.5, runsc …) */
            isolation: {
                [key: string]: string;
            };
            /** @description CPU and memory change without a restart */
            live_resize: boolean;
            /** @description Levels it can't give, with the reason */
            missing?: {
                [key: string]: string;
            };
            version: string;
            /** @description What the operator should know, such as: nothing is isolated */
            warnings?: components["schemas"]["Warning"][];
        };
        Census: {
            agents: components["schemas"]["AgentCensus"];
            /** @description By state; states without a bot are left out */
            bots: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description Of the tenants
             */
            suspended: number;
            /** Format: int64 */
            tenants: number;
            /** @description By state; states without a Worker are left out */
            workers: {
                [key: string]: number;
            };
        };
        Change: {
            id: string;
            /** @enum {string} */
            kind: "tenant" | "worker" | "bot" | "move" | "member" | "invitation" | "secret" | "token" | "event" | "support" | "resync";
            tenant_id: string;
            worker_id?: string;
        };
        ChannelCheck: {
            /**
             * @description Who the token belongs to
             * @example @padaria_bot
             */
            account?: string;
            /** @enum {string} */
            channel: "telegram" | "whatsapp";
            /** @enum {string} */
            check: "secrets" | "account" | "webhook";
            /**
             * @description Stable; switch on this
             * @enum {string}
             */
            code: "ok" | "secret_missing" | "secret_malformed" | "token_rejected" | "number_unknown" | "permission_missing" | "rate_limited" | "unreachable" | "not_the_api" | "refused" | "webhook_missing" | "webhook_elsewhere" | "webhook_failing";
            /** @description The secret, the address or the platform's own words that the code speaks of */
            detail?: string;
            /** @description For a person, in English: what is wrong and what to do */
            message: string;
            ok: boolean;
        };
        ControlPlane: {
            /** Format: date-time */
            started_at: string;
            /** Format: int64 */
            uptime_seconds: number;
            version: string;
        };
        Credentials: {
            /** @example ana@example.com */
            email: string;
            password: string;
        };
        Database: {
            /** @enum {string} */
            kind: "sqlite" | "postgres";
            /**
             * Format: int64
             * @description What its tables take on disk
             */
            size_bytes: number;
            /** @example 3.50.4 */
            version: string;
        };
        DatabaseHealth: {
            answers: boolean;
            /** @description Left out when it doesn't answer */
            details?: components["schemas"]["Database"];
            /**
             * Format: double
             * @description Of one question, in milliseconds
             */
            latency_ms: number;
        };
        EngineHealth: {
            answers: boolean;
            /** @description Left out when it doesn't answer */
            capabilities?: components["schemas"]["Capabilities"];
        };
        EnvVar: {
            name: string;
            /** @description Name of the secret that holds the value */
            secret?: string;
            value?: string;
        };
        Event: {
            /** Format: date-time */
            at: string;
            bot_id?: string;
            data?: {
                [key: string]: unknown;
            };
            id: string;
            /** @example worker.provisioning */
            kind: string;
            /** @enum {string} */
            level: "info" | "warning" | "error";
            /** @description For a person, in English; kind and data let a client say it in another language */
            message: string;
            tenant_id: string;
            /** @description Who did it; empty when the platform did */
            user_id?: string;
            worker_id?: string;
        };
        FieldError: {
            /** @description JSON path of the wrong input */
            field: string;
            /** @description What is wrong and what would be right */
            message: string;
        };
        Handoff: {
            message?: string;
            /** @description Words or phrases that ask for a person */
            triggers?: string[];
        };
        Health: {
            /** @description What all tenants have; left out when the database doesn't answer */
            census?: components["schemas"]["Census"];
            /** @description The process that answers; of several each has its own */
            control_plane: components["schemas"]["ControlPlane"];
            database: components["schemas"]["DatabaseHealth"];
            engine: components["schemas"]["EngineHealth"];
        };
        HealthCheck: {
            /** @description Must end with 0 */
            command?: string[];
            /**
             * Format: int64
             * @description In a row until unhealthy; 3 when 0
             */
            failures?: number;
            /**
             * @description Path that must answer 2xx on the bot's port
             * @example /healthz
             */
            http?: string;
            /**
             * Format: int64
             * @description 10 when 0
             */
            interval_seconds?: number;
            /**
             * Format: int64
             * @description Failures in a row until the bot is restarted; 0: never
             */
            restart_after?: number;
            /** @description The bot's port must accept a connection */
            tcp?: boolean;
            /**
             * Format: int64
             * @description 3 when 0
             */
            timeout_seconds?: number;
        };
        Invitation: {
            /** Format: date-time */
            created_at: string;
            email: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            /** @description User id */
            invited_by: string;
            /** @enum {string} */
            role: "owner" | "admin" | "operator" | "viewer";
            tenant_id: string;
            worker_ids: string[];
        };
        InvitationAccept: {
            /**
             * @description Of a new person; pt-BR when empty
             * @enum {string}
             */
            locale?: "pt-BR" | "en";
            /** @description Of a new person */
            name?: string;
            password: string;
            /** @description From the link */
            token: string;
        };
        InvitationCreate: {
            /** Format: email */
            email: string;
            /** @enum {string} */
            role: "owner" | "admin" | "operator" | "viewer";
            /** @description When not empty, the member will see only these Workers */
            worker_ids?: string[];
        };
        Limits: {
            /** Format: int64 */
            bots: number;
            /**
             * Format: int64
             * @description Sum over all Workers, in thousandths of a core
             */
            cpu_millis: number;
            /**
             * Format: int64
             * @description Sum over all Workers
             */
            disk_gib: number;
            /** @description Isolation levels that its Workers may use */
            isolation: string[];
            /**
             * Format: int64
             * @description Members and open invitations
             */
            members: number;
            /**
             * Format: int64
             * @description Sum over all Workers
             */
            memory_mib: number;
            /** Format: int64 */
            workers: number;
        };
        ListBot: {
            items: components["schemas"]["Bot"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListChannelCheck: {
            items: components["schemas"]["ChannelCheck"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListEvent: {
            items: components["schemas"]["Event"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListInvitation: {
            items: components["schemas"]["Invitation"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListMember: {
            items: components["schemas"]["Member"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListMembership: {
            items: components["schemas"]["Membership"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListMove: {
            items: components["schemas"]["Move"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListPlan: {
            items: components["schemas"]["Plan"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListSecret: {
            items: components["schemas"]["Secret"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListSupport: {
            items: components["schemas"]["Support"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListTenant: {
            items: components["schemas"]["Tenant"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListTenantSummary: {
            items: components["schemas"]["TenantSummary"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListToken: {
            items: components["schemas"]["Token"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListUsagePoint: {
            items: components["schemas"]["UsagePoint"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        ListWorker: {
            items: components["schemas"]["Worker"][];
            /** @description Send as cursor for the next page; left out on the last */
            next?: string;
        };
        LogInAnswer: {
            /**
             * Format: date-time
             * @description Unless it is used before; each use prolongs it
             */
            expires_at: string;
            /** @description Slug of the tenant that an accepted invitation was to */
            tenant?: string;
            user: components["schemas"]["User"];
        };
        LogLine: {
            /** Format: date-time */
            at: string;
            /** @enum {string} */
            stream: "stdout" | "stderr" | "agent";
            text: string;
        };
        Member: {
            /** Format: date-time */
            created_at: string;
            /** @description Of the user */
            email: string;
            /** @description Of the user */
            name: string;
            /** @enum {string} */
            role: "owner" | "admin" | "operator" | "viewer";
            tenant_id: string;
            user_id: string;
            /**
             * Format: int64
             * @description Counts changes of role and Workers; the ETag
             */
            version: number;
            /** @description When not empty, the member sees only these Workers and their bots (a department) */
            worker_ids: string[];
        };
        Membership: {
            /** @enum {string} */
            role: "owner" | "admin" | "operator" | "viewer";
            /** @description An operator of the platform is in the tenant by this support session and no member of it */
            support?: components["schemas"]["Support"];
            tenant: components["schemas"]["Tenant"];
            worker_ids: string[];
        };
        MemberUpdate: {
            /** @enum {string} */
            role?: "owner" | "admin" | "operator" | "viewer";
            /** @description Empty list: all Workers */
            worker_ids?: string[];
        };
        Meters: {
            /**
             * Format: int64
             * @description Worker: received by its network; bot: received through the gateway
             */
            bytes_in: number;
            /**
             * Format: int64
             * @description Worker: sent by its network; bot: sent through the gateway
             */
            bytes_out: number;
            /**
             * Format: int64
             * @description CPU time, milliseconds
             */
            cpu_ms: number;
            /** Format: int64 */
            disk_byte_seconds: number;
            /** Format: int64 */
            memory_byte_seconds: number;
            /**
             * Format: int64
             * @description Through the gateway
             */
            requests: number;
            /**
             * Format: int64
             * @description Milliseconds that it ran
             */
            running_ms: number;
        };
        Move: {
            bot_id: string;
            /**
             * Format: int64
             * @description Carried so far
             */
            bytes: number;
            /** Format: date-time */
            created_at: string;
            /**
             * Format: date-time
             * @description When a move that didn't get to switched goes back
             */
            deadline_at: string;
            /** Format: date-time */
            ended_at?: string;
            /** @description Worker id */
            from: string;
            id: string;
            /** @description What it waits for, or why it failed */
            reason?: string;
            /** @enum {string} */
            step: "requested" | "stopping" | "carrying" | "switched" | "cleaning" | "done" | "rolling_back" | "failed";
            tenant_id: string;
            /** @description Worker id */
            to: string;
            /** Format: date-time */
            updated_at: string;
        };
        MoveCreate: {
            /** @description The Worker that it goes to */
            worker_id: string;
        };
        NewAccessToken: {
            /** @description Shown once; send it to the bot's address as Authorization: Bearer */
            token: string;
        };
        NewInvitation: {
            /** Format: date-time */
            created_at: string;
            email: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            /** @description User id */
            invited_by: string;
            /** @enum {string} */
            role: "owner" | "admin" | "operator" | "viewer";
            tenant_id: string;
            /** @description Shown once */
            token: string;
            /** @description Link for the invited person; shown once */
            url: string;
            worker_ids: string[];
        };
        NewToken: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at?: string;
            id: string;
            /**
             * Format: date-time
             * @description To the minute
             */
            last_used_at?: string;
            name: string;
            scopes: ("read" | "write" | "admin")[];
            /** @description Shown once; send it as Authorization: Bearer */
            secret: string;
            tenant_id: string;
            user_id: string;
        };
        Personality: {
            /** Format: int64 */
            creativity?: number;
            /** Format: int64 */
            empathy?: number;
            /** Format: int64 */
            formality?: number;
            /** Format: int64 */
            humor?: number;
            /** Format: int64 */
            verbosity?: number;
        };
        Plan: {
            /** @example PRO */
            id: string;
            limits: components["schemas"]["Limits"];
            name: string;
        };
        PlanPut: {
            limits: components["schemas"]["Limits"];
            name: string;
        };
        Preview: {
            /** Format: date-time */
            expires_at: string;
            url: string;
        };
        Problem: {
            /**
             * @description Stable; switch on this
             * @enum {string}
             */
            code: "invalid" | "unauthenticated" | "forbidden" | "not_found" | "conflict" | "name_taken" | "quota_exceeded" | "version_mismatch" | "too_large" | "idempotency_key_reused" | "rate_limited" | "unavailable" | "unsupported" | "internal";
            /** @description For a person */
            detail?: string;
            /** @description Which inputs are wrong */
            errors?: components["schemas"]["FieldError"][];
            /** @description Also in the header X-Request-Id; name it when you ask for help */
            request_id?: string;
            /** Format: int64 */
            status: number;
            /** @description What the status means */
            title: string;
            /** @example about:blank */
            type: string;
        };
        Program: {
            /**
             * @description Program and arguments; relative to the uploaded files
             * @example [
             *       "python3",
             *       "bot.py"
             *     ]
             */
            command: string[];
            env?: components["schemas"]["EnvVar"][];
            health?: components["schemas"]["HealthCheck"];
            /**
             * Format: int64
             * @description Where it listens; 0: it serves nothing. Also given to it as PORT
             */
            port?: number;
            /**
             * @description always when empty
             * @enum {string}
             */
            restart?: "always" | "on_failure" | "never";
            /**
             * Format: int64
             * @description Between SIGTERM and SIGKILL; 10 when 0
             */
            stop_seconds?: number;
        };
        Resized: {
            /**
             * @description live: bots go on; restart: the machine and its bots restart; later: from the next start
             * @enum {string}
             */
            effect: "none" | "live" | "restart" | "later";
            worker: components["schemas"]["Worker"];
        };
        Secret: {
            /** Format: date-time */
            created_at: string;
            id: string;
            /** @example OPENAI_API_KEY */
            name: string;
            tenant_id: string;
            /** Format: date-time */
            updated_at: string;
            /** @description Only bots of this Worker may use it; every Worker when empty */
            worker_id?: string;
        };
        SecretPut: {
            /** @description At most 16 KiB; can't be read back */
            value: string;
            /** @description Only bots of this Worker may use it; every Worker when empty */
            worker_id?: string;
        };
        Size: {
            /**
             * Format: int64
             * @description Thousandths of a core
             * @example 500
             */
            cpu_millis: number;
            /**
             * Format: int64
             * @example 2
             */
            disk_gib: number;
            /**
             * Format: int64
             * @example 512
             */
            memory_mib: number;
        };
        Support: {
            /** Format: date-time */
            created_at: string;
            /** @description Of the operator, when it began */
            email: string;
            /** Format: date-time */
            ended_at?: string;
            /** @description User id; empty when its time was over */
            ended_by?: string;
            /**
             * Format: date-time
             * @description When it ends by itself
             */
            expires_at: string;
            id: string;
            /** @description Of the operator, when it began */
            name: string;
            reason: string;
            tenant_id: string;
            /** @description The operator of the platform */
            user_id: string;
        };
        SupportCreate: {
            /**
             * Format: int64
             * @description 60 when left out
             */
            minutes?: number;
            /**
             * @description Why; the tenant sees it
             * @example Ticket 4711: the WhatsApp bot doesn't answer
             */
            reason: string;
        };
        Telegram: {
            /**
             * Format: uri
             * @description https://api.telegram.org when empty
             */
            api_base?: string;
            /** @description Secret with the token that BotFather gave */
            token_secret: string;
            /** @description Secret with the value that Telegram sends with every update */
            webhook_secret_secret: string;
        };
        Tenant: {
            /** Format: date-time */
            created_at: string;
            id: string;
            name: string;
            /** @example PRO */
            plan: string;
            /** @description Short name for addresses; may stand for the id in every path */
            slug: string;
            /** @enum {string} */
            status: "active" | "suspended";
            /** Format: date-time */
            updated_at: string;
            /** Format: int64 */
            version: number;
        };
        TenantCreate: {
            /** @example Cliente A */
            name: string;
            /** @description FREE when empty */
            plan?: string;
            /** @description Made from the name when empty */
            slug?: string;
        };
        TenantSummary: {
            /** @description By state; states without a bot are left out */
            bots: {
                [key: string]: number;
            };
            /** @description Of its plan */
            limits: components["schemas"]["Limits"];
            tenant: components["schemas"]["Tenant"];
            totals: components["schemas"]["Totals"];
            /** @description Of all its Workers in the last 24 full hours */
            usage: components["schemas"]["Meters"];
            /** @description By state; states without a Worker are left out */
            workers: {
                [key: string]: number;
            };
        };
        TenantTotals: {
            limits: components["schemas"]["Limits"];
            /** @example PRO */
            plan: string;
            totals: components["schemas"]["Totals"];
        };
        TenantUpdate: {
            name?: string;
            plan?: string;
            /** @enum {string} */
            status?: "active" | "suspended";
        };
        Token: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at?: string;
            id: string;
            /**
             * Format: date-time
             * @description To the minute
             */
            last_used_at?: string;
            name: string;
            scopes: ("read" | "write" | "admin")[];
            tenant_id: string;
            user_id: string;
        };
        TokenCreate: {
            /**
             * Format: date-time
             * @description Never when left out
             */
            expires_at?: string;
            name: string;
            scopes: ("read" | "write" | "admin")[];
        };
        Totals: {
            /** Format: int64 */
            bots: number;
            /** Format: int64 */
            cpu_millis: number;
            /** Format: int64 */
            disk_gib: number;
            /**
             * Format: int64
             * @description Members and open invitations
             */
            members: number;
            /** Format: int64 */
            memory_mib: number;
            /** Format: int64 */
            workers: number;
        };
        UsagePoint: {
            bot_id?: string;
            /**
             * Format: int64
             * @description Worker: received by its network; bot: received through the gateway
             */
            bytes_in: number;
            /**
             * Format: int64
             * @description Worker: sent by its network; bot: sent through the gateway
             */
            bytes_out: number;
            /**
             * Format: int64
             * @description CPU time, milliseconds
             */
            cpu_ms: number;
            /** Format: int64 */
            disk_byte_seconds: number;
            /** Format: int64 */
            memory_byte_seconds: number;
            /**
             * Format: int64
             * @description Through the gateway
             */
            requests: number;
            /**
             * Format: int64
             * @description Milliseconds that it ran
             */
            running_ms: number;
            /** Format: date-time */
            start: string;
            /**
             * Format: int64
             * @description Minutes that were reported in this step
             */
            windows: number;
            worker_id: string;
        };
        User: {
            /** Format: date-time */
            created_at: string;
            email: string;
            id: string;
            /**
             * @description Language of the dashboard and of mails
             * @enum {string}
             */
            locale: "pt-BR" | "en";
            name: string;
            operator: boolean;
            /** Format: date-time */
            updated_at: string;
        };
        Warning: {
            /**
             * @description Stable; switch on this
             * @enum {string}
             */
            code: "nothing_isolated" | "no_limits" | "runtime_outdated" | "no_seccomp" | "host_reachable" | "resize_restarts" | "network_policies" | "simulated";
            /** @description For a person, in English, with what is particular here */
            message: string;
        };
        WhatsApp: {
            access_token_secret: string;
            /**
             * Format: uri
             * @description https://graph.facebook.com/v21.0 when empty
             */
            api_base?: string;
            /** @description Secret with the app secret that signs webhooks (X-Hub-Signature-256) */
            app_secret_secret: string;
            phone_number_id: string;
            /** @description Secret with the word that Meta's webhook set-up asks for */
            verify_token_secret: string;
        };
        Worker: {
            /** Format: date-time */
            created_at: string;
            /** @enum {string} */
            desired: "running" | "stopped" | "deleted";
            id: string;
            /** @description Container image; the platform's own when empty */
            image?: string;
            /** @enum {string} */
            isolation: "container" | "sandbox" | "vm" | "none";
            /** @example Financeiro */
            name: string;
            /** Format: int64 */
            restarts_requested: number;
            size: components["schemas"]["Size"];
            status: components["schemas"]["WorkerStatus"];
            tenant_id: string;
            /** Format: date-time */
            updated_at: string;
            /**
             * Format: int64
             * @description Counts changes of the settings; the ETag
             */
            version: number;
        };
        WorkerCreate: {
            /** @description Container image; the platform's own when empty */
            image?: string;
            /**
             * @description container when empty
             * @enum {string}
             */
            isolation?: "container" | "sandbox" | "vm" | "none";
            /** @example Financeiro */
            name: string;
            /** @description 500 cpu_millis, 512 memory_mib and 2 disk_gib when left out */
            size?: components["schemas"]["Size"];
        };
        WorkerStatus: {
            /** @description The agent is older than the platform; a restart of the Worker updates it */
            agent_outdated: boolean;
            agent_version?: string;
            /** @description The size that the machine has now */
            applied_size?: components["schemas"]["Size"];
            /**
             * Format: int64
             * @description Attempts that failed in a row
             */
            failures: number;
            /**
             * Format: date-time
             * @description When its agent was last connected
             */
            last_seen_at?: string;
            /** Format: date-time */
            next_retry_at?: string;
            /** @description Why it is in this state, for a person */
            reason: string;
            /**
             * Format: date-time
             * @description In this state since
             */
            since: string;
            /** @enum {string} */
            state: "pending" | "provisioning" | "running" | "degraded" | "unreachable" | "stopping" | "stopped" | "hibernated" | "failed" | "deleting";
        };
        WorkerUpdate: {
            image?: string;
            /** @enum {string} */
            isolation?: "container" | "sandbox" | "vm" | "none";
            name?: string;
            size?: components["schemas"]["Size"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    "capabilities-get": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Capabilities"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "invitation-accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationAccept"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogInAnswer"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "account-log-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogInAnswer"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "account-log-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "account-get": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "account-update": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccountUpdate"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "account-tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListMembership"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "plan-list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListPlan"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "plan-put": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                plan: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanPut"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Plan"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "platform-health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "platform-tenants": {
        parameters: {
            query?: {
                /** @description next of the page before */
                cursor?: string;
                /** @description Things on the page; 50 when left out */
                limit?: number;
                plan?: string;
                /** @description Part of the name or slug */
                search?: string;
                status?: "active" | "suspended";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListTenantSummary"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "tenant-list": {
        parameters: {
            query?: {
                /** @description next of the page before */
                cursor?: string;
                /** @description Things on the page; 50 when left out */
                limit?: number;
                plan?: string;
                /** @description Part of the name or slug */
                search?: string;
                status?: "active" | "suspended";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListTenant"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "tenant-create": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TenantCreate"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "tenant-get": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "tenant-delete": {
        parameters: {
            query?: {
                /** @description The name of what is deleted, letter for letter */
                confirm?: string;
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "tenant-update": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
                /** @description ETag of what was read; the update is refused with 412 when it changed since. * or left out: update whatever it is now */
                "If-Match"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TenantUpdate"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-list": {
        parameters: {
            query?: {
                /** @description next of the page before */
                cursor?: string;
                kind?: "assistant" | "program";
                /** @description Things on the page; 50 when left out */
                limit?: number;
                /** @description Part of the name */
                search?: string;
                /** @description Any of these, separated by commas */
                state?: ("pending" | "starting" | "running" | "unhealthy" | "backoff" | "crash_loop" | "stopped" | "completed" | "moving" | "failed")[];
                /** @description Ids of Workers, separated by commas */
                worker?: string[];
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBot"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-create": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BotCreate"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bot"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-get": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bot"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-delete": {
        parameters: {
            query?: {
                /** @description The name of what is deleted, letter for letter */
                confirm?: string;
            };
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-update": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
                /** @description ETag of what was read; the update is refused with 412 when it changed since. * or left out: update whatever it is now */
                "If-Match"?: string;
            };
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BotUpdate"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bot"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-access-token": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewAccessToken"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-check-channels": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListChannelCheck"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-telegram-webhook": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListChannelCheck"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-get-files": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-put-files": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/gzip": string;
                "application/octet-stream": string;
                "application/zip": string;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bot"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-logs": {
        parameters: {
            query?: {
                /** @description Go on with new lines as they are written */
                follow?: boolean;
                /** @description Leave out older lines */
                since?: string;
                /** @description The last lines */
                tail?: number;
            };
            header?: never;
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["LogLine"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-send-message": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BotMessage"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BotReply"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-move": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoveCreate"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Move"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-preview": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-restart": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bot"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-start": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bot"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "bot-stop": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id of the bot */
                bot: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bot"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "change-stream": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Change"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "event-list": {
        parameters: {
            query?: {
                /** @description What it is about, the part of the kind before the dot; separated by commas */
                area?: ("tenant" | "support" | "member" | "invitation" | "token" | "secret" | "worker" | "bot" | "move")[];
                /** @description Id of a bot */
                bot?: string;
                /** @description next of the page before */
                cursor?: string;
                /** @description Not before */
                from?: string;
                /** @description Such as worker.created, separated by commas */
                kind?: string[];
                /** @description Any of these, separated by commas */
                level?: ("info" | "warning" | "error")[];
                /** @description Things on the page; 50 when left out */
                limit?: number;
                /** @description Part of the message */
                search?: string;
                /** @description Before */
                to?: string;
                /** @description Ids of people who did it, separated by commas; platform stands for what nobody did */
                user?: string[];
                /** @description Ids of Workers, separated by commas */
                worker?: string[];
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListEvent"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "event-csv": {
        parameters: {
            query?: {
                /** @description What it is about, the part of the kind before the dot; separated by commas */
                area?: ("tenant" | "support" | "member" | "invitation" | "token" | "secret" | "worker" | "bot" | "move")[];
                /** @description Id of a bot */
                bot?: string;
                /** @description Not before */
                from?: string;
                /** @description Such as worker.created, separated by commas */
                kind?: string[];
                /** @description Any of these, separated by commas */
                level?: ("info" | "warning" | "error")[];
                /** @description Part of the message */
                search?: string;
                /** @description Before */
                to?: string;
                /** @description Ids of people who did it, separated by commas; platform stands for what nobody did */
                user?: string[];
                /** @description Ids of Workers, separated by commas */
                worker?: string[];
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "invitation-list": {
        parameters: {
            query?: {
                /** @description next of the page before */
                cursor?: string;
                /** @description Things on the page; 50 when left out */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListInvitation"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "invitation-create": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationCreate"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewInvitation"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "invitation-delete": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                invitation: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "member-list": {
        parameters: {
            query?: {
                /** @description next of the page before */
                cursor?: string;
                /** @description Things on the page; 50 when left out */
                limit?: number;
                /** @description Part of the name or e-mail */
                search?: string;
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListMember"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "member-get": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the user */
                member: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "member-remove": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id of the user */
                member: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "member-update": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
                /** @description ETag of what was read; the update is refused with 412 when it changed since. * or left out: update whatever it is now */
                "If-Match"?: string;
            };
            path: {
                /** @description Id of the user */
                member: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MemberUpdate"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "move-list": {
        parameters: {
            query?: {
                /** @description Id of a bot */
                bot?: string;
                /** @description next of the page before */
                cursor?: string;
                /** @description Things on the page; 50 when left out */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListMove"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "move-get": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                move: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Move"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "secret-list": {
        parameters: {
            query?: {
                /** @description next of the page before */
                cursor?: string;
                /** @description Things on the page; 50 when left out */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListSecret"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "secret-put": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                name: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecretPut"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Secret"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "secret-delete": {
        parameters: {
            query?: {
                /** @description Id of the Worker that it is limited to; left out for a secret of every Worker */
                worker?: string;
            };
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                name: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "support-list": {
        parameters: {
            query?: {
                /** @description Only those that are open now */
                active?: boolean;
                /** @description next of the page before */
                cursor?: string;
                /** @description Things on the page; 50 when left out */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListSupport"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "support-open": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SupportCreate"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Support"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "support-end": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id of the support session */
                support: string;
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "token-list": {
        parameters: {
            query?: {
                /** @description next of the page before */
                cursor?: string;
                /** @description Things on the page; 50 when left out */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListToken"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "token-create": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenCreate"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "token-delete": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "tenant-totals": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantTotals"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "usage-get": {
        parameters: {
            query?: {
                /** @description Id of one bot */
                bot?: string;
                /** @description One series per bot instead of one per Worker */
                by_bot?: boolean;
                /** @description Inclusive; a day before to when left out */
                from?: string;
                /** @description Minutes reach back 7 days, hours and days 400 */
                step?: "minute" | "hour" | "day";
                /** @description Exclusive; now when left out */
                to?: string;
                /** @description Ids of Workers, separated by commas */
                worker?: string[];
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListUsagePoint"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "usage-csv": {
        parameters: {
            query?: {
                /** @description Id of one bot */
                bot?: string;
                /** @description One series per bot instead of one per Worker */
                by_bot?: boolean;
                /** @description Inclusive; a day before to when left out */
                from?: string;
                /** @description Minutes reach back 7 days, hours and days 400 */
                step?: "minute" | "hour" | "day";
                /** @description Exclusive; now when left out */
                to?: string;
                /** @description Ids of Workers, separated by commas */
                worker?: string[];
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "worker-list": {
        parameters: {
            query?: {
                /** @description next of the page before */
                cursor?: string;
                /** @description Things on the page; 50 when left out */
                limit?: number;
                /** @description Part of the name */
                search?: string;
                /** @description Any of these, separated by commas */
                state?: ("pending" | "provisioning" | "running" | "degraded" | "unreachable" | "stopping" | "stopped" | "hibernated" | "failed" | "deleting")[];
            };
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListWorker"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "worker-create": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WorkerCreate"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "worker-get": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
                /** @description Id of the Worker */
                worker: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "worker-delete": {
        parameters: {
            query?: {
                /** @description The name of what is deleted, letter for letter */
                confirm?: string;
            };
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
                /** @description Id of the Worker */
                worker: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "worker-update": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
                /** @description ETag of what was read; the update is refused with 412 when it changed since. * or left out: update whatever it is now */
                "If-Match"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
                /** @description Id of the Worker */
                worker: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WorkerUpdate"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "worker-resize": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
                /** @description ETag of what was read; the update is refused with 412 when it changed since. * or left out: update whatever it is now */
                "If-Match"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
                /** @description Id of the Worker */
                worker: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Size"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Resized"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "worker-restart": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
                /** @description Id of the Worker */
                worker: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "worker-start": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
                /** @description Id of the Worker */
                worker: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "worker-stop": {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your choice; the same request with the same key is carried out once, and answered the same for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Id or slug of the tenant */
                tenant: string;
                /** @description Id of the Worker */
                worker: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
