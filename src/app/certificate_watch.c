/* A certificate that has expired still serves those who do not look: it is an error for the operator, not an end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/certificate_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"

#define DAY_NS (86400 * CLOCK_NS_PER_S)

static const int64_t soon_ns = 14 * DAY_NS;

static void speak(const struct door_plan *plan, int64_t left_ns)
{
    long long days = (long long)(left_ns / DAY_NS);
    struct log_value cert;
    (void)log_value(&cert, span_from_text(plan->config->tls.cert));
    if (left_ns <= 0)
        log_line(LOG_ERROR, "app", "a certificate has expired",
                 "door=\"%s\" cert=%s days_ago=%lld remedy=\"renew it, then send SIGHUP\"", plan->name,
                 cert.text, -days);
    else if (left_ns <= soon_ns)
        log_line(LOG_WARN, "app", "a certificate expires soon",
                 "door=\"%s\" cert=%s days_left=%lld remedy=\"renew it, then send SIGHUP\"", plan->name,
                 cert.text, days);
}

void certificate_watch_look(struct certificate_watch *watch,
                            const struct door_plans *plans,
                            int64_t wall_ns,
                            bool speaks)
{
    int64_t least_ns = INT64_MAX;
    /* Not "so long ago": a wall clock may be set back. */
    bool is_day_over = wall_ns / DAY_NS != watch->said_ns / DAY_NS;
    for (uint32_t i = 0; i < plans->count; i++) {
        const struct door_plan *plan = &plans->plans[i];
        if (plan->tls == NULL)
            continue;
        int64_t left_ns = tls_context_expires_ns(plan->tls) - wall_ns;
        least_ns = left_ns < least_ns ? left_ns : least_ns;
        if (speaks || is_day_over)
            speak(plan, left_ns);
    }
    if (speaks || is_day_over)
        watch->said_ns = wall_ns;
    metric_set(METRIC_TLS_EXPIRES, least_ns == INT64_MAX ? 0 : least_ns / CLOCK_NS_PER_S);
}
