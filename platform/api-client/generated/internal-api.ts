// Generated from the OpenAPI documents of the API by `npm run api-client`; changes here are lost.

export interface paths {
    "/host/v1/acknowledgments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Acknowledge commands with their outcomes; may be repeated */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        acknowledgments: components["schemas"]["HostAcknowledgment"][];
                    };
                };
            };
            responses: {
                /** @description One result for each acknowledgment, in the same order. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            results: {
                                /** @description Number of the command; counts the commands of one host from 1 without gaps. */
                                sequence: number;
                                /**
                                 * @description recorded: the outcome is stored. repeated: an earlier outcome is stored and stands. unknown: this host has no such command. retry: the outcome is stored, but the waiting operation could not be notified; send it again.
                                 * @enum {string}
                                 */
                                status: "recorded" | "repeated" | "unknown" | "retry";
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/host/v1/desired-state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show every address that the host must announce */
        get: {
            parameters: {
                query?: {
                    /** @description Whether to list failed commands too, where they are the newest about their address. */
                    failed?: "true" | "false";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A consistent snapshot. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HostDesiredState"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/host/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the host's unacknowledged commands; waits for the first one */
        get: {
            parameters: {
                query?: {
                    /** @description Lists the commands after this sequence. */
                    after?: number | null;
                    limit?: number;
                    /** @description Seconds to wait until there is a command. */
                    wait?: number | null;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The commands, in the order of their sequence. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            events: components["schemas"]["HostCommand"][];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all accounts */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Oldest first. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            accounts: components["schemas"]["InternalAccount"][];
                        };
                    };
                };
            };
        };
        put?: never;
        /** Create an account */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @default 25 */
                        droplet_limit?: number;
                        /** Format: email */
                        email: string;
                        name: string;
                        /** @default 3 */
                        reserved_ip_limit?: number;
                    };
                };
            };
            responses: {
                /** @description The account. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            account: components["schemas"]["InternalAccount"];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/accounts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change an account's limits */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        droplet_limit?: number;
                        /** @description Share of the addresses of a region that it may hold, in percent, with those in quarantine; null when the setting of the installation applies. */
                        pool_share_held_percent?: number | null;
                        /** @description Share of the addresses of a region that it may release within an hour, in percent; null when the setting of the installation applies. */
                        pool_share_per_hour_percent?: number | null;
                        reserved_ip_limit?: number;
                    };
                };
            };
            responses: {
                /** @description The account. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            account: components["schemas"]["InternalAccount"];
                        };
                    };
                };
            };
        };
        trace?: never;
    };
    "/internal/v1/accounts/{id}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List an account's tokens and when they were used last */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Oldest first. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            tokens: {
                                /** Format: date-time */
                                created_at: string;
                                id: number;
                                /**
                                 * Format: date-time
                                 * @description To the minute; null when it was never used.
                                 */
                                last_used_at: string | null;
                                /** @description The network address of the last use. */
                                last_used_from: string | null;
                                name: string;
                                /** Format: date-time */
                                revoked_at: string | null;
                                scopes: string[];
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        /** Create a token for an account; it is shown only once */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name: string;
                        /** @default 5000 */
                        requests_per_hour?: number;
                        /** @default 250 */
                        requests_per_minute?: number;
                        /**
                         * @default [
                         *       "*"
                         *     ]
                         */
                        scopes?: string[];
                    };
                };
            };
            responses: {
                /** @description The token. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: number;
                            token: string;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/accounts/{id}/tokens/{tokenId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a token */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: number;
                    tokenId: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Revoked; repeating it changes nothing. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/audit-log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List who asked for which change, and the outcome */
        get: {
            parameters: {
                query?: {
                    account?: number;
                    /** @description Only entries with a lower number. */
                    before?: number;
                    limit?: number;
                    since?: string;
                    subject?: string;
                    until?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Newest first. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            entries: components["schemas"]["InternalAuditEntry"][];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/hosts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all hosts and their unacknowledged commands */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description By name. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            hosts: components["schemas"]["InternalHost"][];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/hosts/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Register a host */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @example 10.17.0.0/16 */
                        anchor_cidr: string;
                        region: string;
                    };
                };
            };
            responses: {
                /** @description The host; repeating it changes nothing. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            host: components["schemas"]["InternalHost"];
                        };
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/hosts/{name}/gone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Declare that a host is gone and no longer announces any address
         * @description Its open detach commands are recorded as applied, its open attach commands as failed.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The host, and how many of its open commands were given an outcome. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            answered_events: number;
                            host: components["schemas"]["InternalHost"];
                            /** @description Operations that could not be notified at once; they notice at their next attempt. */
                            untold_operations: number;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/hosts/{name}/returned": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Return a host that was gone to service */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The host. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            host: components["schemas"]["InternalHost"];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/hosts/{name}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a host's tokens and when they were used last */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Oldest first. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            tokens: {
                                /** Format: date-time */
                                created_at: string;
                                id: number;
                                /**
                                 * Format: date-time
                                 * @description To the minute; null when it was never used.
                                 */
                                last_used_at: string | null;
                                /** @description The network address of the last use. */
                                last_used_from: string | null;
                                /** Format: date-time */
                                revoked_at: string | null;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        /** Create a token for a host; it is shown only once */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The token. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            token: string;
                        };
                    };
                };
            };
        };
        /** Revoke all tokens of a host; they stop working within a second */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description How many tokens were revoked. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            revoked: number;
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/operator-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all operators' tokens and when they were used last */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description By name. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            operator_tokens: {
                                /** Format: date-time */
                                created_at: string;
                                id: number;
                                /**
                                 * Format: date-time
                                 * @description To the minute; null when it was never used.
                                 */
                                last_used_at: string | null;
                                /** @description The network address of the last use. */
                                last_used_from: string | null;
                                name: string;
                                /** Format: date-time */
                                revoked_at: string | null;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/operators/{name}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Create a token for an operator; it is shown only once */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The token. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: number;
                            token: string;
                        };
                    };
                };
            };
        };
        /** Revoke all tokens of an operator; they stop working within a second */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description How many tokens were revoked. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            revoked: number;
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/pools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all pools and their use */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description By region. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            pools: components["schemas"]["InternalPool"][];
                        };
                    };
                };
            };
        };
        put?: never;
        /** Import an address range into a region's pool */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @example 203.0.113.0/24 */
                        cidr: string;
                        region: string;
                    };
                };
            };
            responses: {
                /** @description The pool. Network and broadcast addresses are left out. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            pool: {
                                addresses: number;
                                cidr: string;
                                id: number;
                                region: string;
                            };
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/regions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all regions */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description By slug. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            regions: components["schemas"]["InternalRegion"][];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/regions/{slug}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Create or rename a region */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    slug: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name: string;
                    };
                };
            };
            responses: {
                /** @description The region. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            region: components["schemas"]["InternalRegion"];
                        };
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/v1/regions/{slug}/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the accounts that have the most of a region's addresses */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                };
                header?: never;
                path: {
                    slug: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description By IP version, the largest first. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            accounts: components["schemas"]["InternalPoolAccount"][];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
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
        HostAcknowledgment: {
            /** @description Rises with every change of an address. A host ignores a command that is older than what it has applied. */
            generation: number;
            /** @description The reason of a failure. Invisible characters, line ends among them, become spaces. */
            message?: string | null;
            /** @enum {string} */
            outcome: "applied" | "failed" | "superseded";
            /** @description Number of the command; counts the commands of one host from 1 without gaps. */
            sequence: number;
        };
        HostCommand: {
            /** @example 203.0.113.10 */
            address: string;
            /** @description The droplet's anchor address; null for a detach. */
            anchor: string | null;
            /** @enum {string} */
            change: "attach" | "detach";
            /** @description The droplet to attach to; null for a detach. */
            droplet_id: number | null;
            /** @description Rises with every change of an address. A host ignores a command that is older than what it has applied. */
            generation: number;
            /** Format: date-time */
            issued_at: string;
            /** @description Number of the command; counts the commands of one host from 1 without gaps. */
            sequence: number;
        };
        HostDesiredState: {
            attachments: {
                /** @example 203.0.113.10 */
                address: string;
                anchor: string;
                droplet_id: number;
                /** @description Rises with every change of an address. A host ignores a command that is older than what it has applied. */
                generation: number;
            }[];
            /** @description Commands that the host could not carry out, where they are the newest about their address. */
            failed_events?: {
                /** @example 203.0.113.10 */
                address: string;
                /** @enum {string} */
                change: "attach" | "detach";
                /** @description Rises with every change of an address. A host ignores a command that is older than what it has applied. */
                generation: number;
                /** @description Number of the command; counts the commands of one host from 1 without gaps. */
                sequence: number;
            }[];
            host: string;
            /** @description The last command that this state takes into account. */
            sequence: number;
        };
        InternalAccount: {
            /** Format: date-time */
            created_at: string;
            droplet_limit: number;
            email: string;
            id: number;
            name: string;
            /** @description Share of the addresses of a region that it may hold, in percent, with those in quarantine; null when the setting of the installation applies. */
            pool_share_held_percent: number | null;
            /** @description Share of the addresses of a region that it may release within an hour, in percent; null when the setting of the installation applies. */
            pool_share_per_hour_percent: number | null;
            reserved_ip_limit: number;
            /** Format: uuid */
            uuid: string;
        };
        InternalAuditEntry: {
            account_id: number | null;
            action: string;
            /** Format: date-time */
            at: string;
            detail: string | null;
            id: number;
            operation_id: string | null;
            /** @enum {string} */
            outcome: "done" | "refused";
            requester: {
                /** @enum {string} */
                kind: "token" | "admin" | "service";
                name: string | null;
                remote: string | null;
                request_id: string | null;
            };
            subject: string;
        };
        InternalHost: {
            anchor_cidr: string;
            /** Format: date-time */
            created_at: string;
            /** @description The newest command that was issued to the host. */
            last_sequence: number;
            name: string;
            /** Format: date-time */
            oldest_unacknowledged_at: string | null;
            region: string;
            /** @enum {string} */
            state: "active" | "gone";
            /** @description Commands that the host has not acknowledged. */
            unacknowledged_events: number;
        };
        InternalPool: {
            /** @description Held by a customer and assigned to a Droplet. */
            assigned: number;
            cidr: string;
            free: number;
            id: number;
            region: string;
            /** @description Released, but a host may still announce it. */
            releasing: number;
            /** @description Held by a customer and not assigned. */
            reserved: number;
            /** @description Released and still in quarantine; not available yet. */
            resting: number;
            total: number;
        };
        InternalPoolAccount: {
            account_id: number;
            /** @description Released by the account and still in quarantine. */
            cooling: number;
            held: number;
            ip_version: 4 | 6;
            name: string;
            /** @description Held and in quarantine, in percent of the addresses of that IP version in the region. */
            percent: number;
        };
        InternalRegion: {
            name: string;
            slug: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
