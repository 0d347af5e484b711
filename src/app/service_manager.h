/* Tells systemd, when it listens, how the service is doing (sd_notify(3)). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_SERVICE_MANAGER_H
#define APP_SERVICE_MANAGER_H

/* "READY=1", "STOPPING=1", "STATUS=...". Nothing happens without NOTIFY_SOCKET in the environment. */
void service_manager_notify(const char *state);

#endif
