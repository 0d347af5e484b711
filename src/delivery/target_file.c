/* Files as a target: lines are gathered on the loop, written and synced on the background thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/target_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "delivery/log_file.h"
#include "wire/line_canonical.h"

/*
 * 1. add     makes lines on the loop, for each file a part of its own
 * 2. send    posts a job: every part is written behind its file's end, then every file is synced
 * 3. result  the job comes back by mail; only then the files' ends move, so a batch that failed is written over
 *
 * Files, their ends and the compression belong to the jobs, which run one after the other.
 */
enum { LINE_SPARE = 4096 };

static const char topic_word[] = "{topic}";

/* A file, and its lines of the batch that is being made. */
struct part {
    uint32_t topic; /* whose lines; one part holds all topics when the name has no {topic} */
    char name[LOG_ROTATION_BASE_MAX];
    struct buffer lines;
};

struct file_batch {
    struct target_batch batch;
    struct background_job job;
    struct target_file *target;
    struct part *parts;
    uint32_t part_count;
    uint32_t parts_size;
    uint32_t last; /* the part that took the last line: lines of one topic often follow each other */
    size_t len;
    struct target_result result;
    bool wants_compressor;
};

struct open_file {
    struct list link; /* the one that was written last comes last */
    struct log_file log;
    bool has_rotated; /* rotated files of it may wait for compression */
};

struct target_file {
    struct target target;
    struct background *background;
    struct mailbox *mailbox;
    struct fs *fs;
    bool owns_fs;
    struct log_rotation rotation;
    size_t batch_bytes;
    struct background_job compressor;
    bool compressor_is_posted; /* the loop's */
    bool compressor_has_more;  /* its own job's, and the loop's between two of them */
    bool is_freed;             /* the loop's: frees itself when the compressor is back */
    /* The jobs' alone: */
    struct list files;
    uint32_t file_count;
    struct log_compression compression;
    char name[LOG_ROTATION_BASE_MAX];
    char title[];
};

static struct target_file *file_of(struct target *target)
{
    return LIST_OWNER(target, struct target_file, target);
}

static struct file_batch *batch_of(struct target_batch *batch)
{
    return LIST_OWNER(batch, struct file_batch, batch);
}

/* --- Names ------------------------------------------------------------------------------------------ */

enum err target_file_check_name(const char *name, struct why *why)
{
    size_t len = strlen(name);
    if (len == 0 || len + STORE_TOPIC_NAME_MAX >= LOG_ROTATION_BASE_MAX)
        return why_set(why, ERR_BAD_NAME, "the file's name is empty or too long: \"%.100s\"", name);
    if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return why_set(why, ERR_BAD_NAME, "\"%.100s\" is no file's name", name);
    const char *word = strchr(name, '{');
    if (word != NULL && strncmp(word, topic_word, sizeof topic_word - 1) != 0)
        return why_set(why, ERR_BAD_NAME, "only {topic} may stand in a file's name: \"%.100s\"", name);
    if (word != NULL && strchr(word + 1, '{') != NULL)
        return why_set(why, ERR_BAD_NAME, "{topic} may stand in a file's name once: \"%.100s\"", name);
    return ERR_NONE;
}

static bool is_for_each_topic(const struct target_file *self)
{
    return strstr(self->name, topic_word) != NULL;
}

/* Topics' names have no `/`; the length was checked. */
static void name_part(const struct target_file *self, const struct store_topic *topic, struct part *part)
{
    const char *word = strstr(self->name, topic_word);
    int before = word == NULL ? (int)strlen(self->name) : (int)(word - self->name);
    int written = snprintf(part->name, sizeof part->name, "%.*s%s%s", before, self->name,
                           word == NULL ? "" : topic->name, word == NULL ? "" : word + sizeof topic_word - 1);
    check(written > 0 && (size_t)written < sizeof part->name);
}

/* --- Making a batch ----------------------------------------------------------------------------------- */

static enum err batch_new(struct target *target, struct target_batch **ret_batch)
{
    struct file_batch *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    self->target = file_of(target);
    *ret_batch = &self->batch;
    return ERR_NONE;
}

static struct target_batch *batch_free(struct target_batch *batch)
{
    struct file_batch *self = batch_of(batch);
    for (uint32_t i = 0; i < self->part_count; i++)
        buffer_done(&self->parts[i].lines);
    free(self->parts);
    free(self);
    return NULL;
}

static enum err add_part(struct file_batch *self, const struct store_topic *topic, struct part **ret_part)
{
    if (self->part_count == TARGET_FILE_OPEN_MAX)
        return ERR_FULL;
    if (self->part_count == self->parts_size) {
        uint32_t size = self->parts_size == 0 ? 1 : self->parts_size * 2;
        struct part *parts = realloc(self->parts, size * sizeof *parts);
        if (parts == NULL)
            return ERR_MEMORY;
        self->parts = parts;
        self->parts_size = size;
    }
    self->last = self->part_count;
    struct part *part = &self->parts[self->part_count++];
    *part = (struct part){.topic = topic->id};
    buffer_init(&part->lines, SIZE_MAX / 2); /* the batch has a limit */
    name_part(self->target, topic, part);
    *ret_part = part;
    return ERR_NONE;
}

static enum err find_part(struct file_batch *self, const struct store_topic *topic, struct part **ret_part)
{
    bool any = self->part_count > 0 && !is_for_each_topic(self->target);
    if (any || (self->part_count > 0 && self->parts[self->last].topic == topic->id)) {
        *ret_part = &self->parts[self->last];
        return ERR_NONE;
    }
    for (uint32_t i = 0; i < self->part_count; i++) {
        if (self->parts[i].topic != topic->id)
            continue;
        self->last = i;
        *ret_part = &self->parts[i];
        return ERR_NONE;
    }
    return add_part(self, topic, ret_part);
}

static enum err
add(struct target_batch *batch, const struct store_topic *topic, const struct group_item *item)
{
    struct file_batch *self = batch_of(batch);
    const struct record *record = item->record;
    size_t size_max = LINE_SPARE + 2 * (record->key.len + record->value.len);
    if (self->len > 0 && self->len + size_max > self->target->batch_bytes)
        return ERR_FULL;
    struct part *part;
    enum err err = find_part(self, topic, &part);
    if (err != ERR_NONE)
        return err;
    size_t before = part->lines.len;
    err = line_canonical_append(&part->lines, record, item->position.partition, LINE_ENCODING_TEXT);
    self->len += part->lines.len - before;
    return err;
}

/* --- On the background thread --------------------------------------------------------------------------- */

static struct open_file *find_open(struct target_file *self, const char *name)
{
    LIST_EACH (&self->files, link)
        if (strcmp(LIST_OWNER(link, struct open_file, link)->log.name, name) == 0)
            return LIST_OWNER(link, struct open_file, link);
    return NULL;
}

static void close_file(struct target_file *self, struct open_file *file)
{
    list_remove(&file->link);
    log_file_close(&file->log);
    free(file);
    self->file_count--;
}

static struct open_file *open_file(struct target_file *self, const char *name)
{
    struct open_file *file = find_open(self, name);
    if (file == NULL) {
        if (self->file_count == TARGET_FILE_OPEN_MAX)
            close_file(self, LIST_OWNER(self->files.next, struct open_file, link));
        file = calloc(1, sizeof *file);
        if (file == NULL)
            return NULL;
        list_init(&file->link);
        log_file_init(&file->log, self->fs, name);
        file->has_rotated =
            self->rotation.compress && self->rotation.size > 0; /* an earlier life left some */
        self->file_count++;
    }
    list_remove(&file->link);
    list_insert_last(&self->files, &file->link);
    return file;
}

static bool is_due(const struct target_file *self, const struct log_file *log)
{
    return self->rotation.size > 0 && log->file != NULL && log->end >= self->rotation.size;
}

/* A compression under way is finished first: its file is about to get another name. */
static enum err rotate(struct target_file *self, struct open_file *file, struct why *why)
{
    struct log_file *log = &file->log;
    enum err err = ERR_AGAIN;
    while (self->compression.source != NULL && err == ERR_AGAIN)
        err = log_compression_step(&self->compression);
    log_file_forget(log);
    err = log_rotate(self->fs, log->name, &self->rotation);
    file->has_rotated = self->rotation.compress;
    return err == ERR_NONE ? err : why_set(why, err, "%s cannot be rotated: %s", log->name, err_text(err));
}

static enum err write_part(struct target_file *self, const struct part *part, struct why *why)
{
    struct open_file *file = open_file(self, part->name);
    if (file == NULL)
        return why_set(why, ERR_MEMORY, "%s: %s", part->name, err_text(ERR_MEMORY));
    enum err err = is_due(self, &file->log) ? rotate(self, file, why) : ERR_NONE;
    return err == ERR_NONE ? log_file_write(&file->log, buffer_span(&part->lines), why) : err;
}

static enum err write_all(struct file_batch *batch, struct why *why)
{
    struct target_file *self = batch->target;
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < batch->part_count; i++)
        err = write_part(self, &batch->parts[i], why);
    for (uint32_t i = 0; err == ERR_NONE && i < batch->part_count; i++)
        err = log_file_sync(&find_open(self, batch->parts[i].name)->log, why);
    for (uint32_t i = 0; err == ERR_NONE && i < batch->part_count; i++)
        log_file_keep(&find_open(self, batch->parts[i].name)->log, batch->parts[i].lines.len);
    return err;
}

/* A file that failed is opened again by the next try: what a failed sync left in memory is not trusted. */
static void close_all(struct target_file *self)
{
    LIST_EACH (&self->files, link)
        log_file_close(&LIST_OWNER(link, struct open_file, link)->log);
}

static struct open_file *first_rotated(const struct target_file *self)
{
    LIST_EACH (&self->files, link)
        if (LIST_OWNER(link, struct open_file, link)->has_rotated)
            return LIST_OWNER(link, struct open_file, link);
    return NULL;
}

static void run_batch(struct background_job *job)
{
    struct file_batch *batch = LIST_OWNER(job, struct file_batch, job);
    enum err err = write_all(batch, &batch->result.why);
    if (err != ERR_NONE)
        close_all(batch->target);
    batch->wants_compressor = first_rotated(batch->target) != NULL;
    batch->result.verdict = err == ERR_NONE ? TARGET_DELIVERED : TARGET_DOWN;
}

/* A piece of the work. An error puts it off until the next rotation. */
static void run_compressor(struct background_job *job)
{
    struct target_file *self = LIST_OWNER(job, struct target_file, compressor);
    struct open_file *file = first_rotated(self);
    enum err err = ERR_NONE;
    if (self->compression.source == NULL)
        err = file == NULL
                  ? ERR_NOT_FOUND
                  : log_compression_begin(&self->compression, self->fs, file->log.name, &self->rotation);
    if (err == ERR_NONE)
        err = log_compression_step(&self->compression);
    if (err != ERR_NONE && err != ERR_AGAIN && file != NULL)
        file->has_rotated = false;
    self->compressor_has_more = err == ERR_AGAIN || first_rotated(self) != NULL;
}

/* --- On the loop ------------------------------------------------------------------------------------------ */

static void free_now(struct target_file *self)
{
    log_compression_abandon(&self->compression);
    LIST_EACH_SAFE (&self->files, link)
        close_file(self, LIST_OWNER(link, struct open_file, link));
    if (self->owns_fs)
        fs_linux_free(self->fs);
    free(self);
}

static void post_compressor(struct target_file *self)
{
    if (self->compressor_is_posted)
        return;
    self->compressor_is_posted = true;
    background_post(self->background, &self->compressor);
}

/* Pieces go on until nothing is left; other jobs run in between. */
static void on_compressed(struct mail *mail)
{
    struct target_file *self = LIST_OWNER(mail, struct target_file, compressor.mail);
    self->compressor_is_posted = false;
    if (self->is_freed) {
        free_now(self);
        return;
    }
    if (self->compressor_has_more)
        post_compressor(self);
}

static void on_written(struct mail *mail)
{
    struct file_batch *self = LIST_OWNER(mail, struct file_batch, job.mail);
    if (self->wants_compressor)
        post_compressor(self->target);
    struct target_result result = self->result;
    self->batch.on_result(self->batch.owner, &result);
}

static void send(struct target_batch *batch)
{
    struct file_batch *self = batch_of(batch);
    self->result = (struct target_result){.verdict = TARGET_DOWN};
    self->job = (struct background_job){
        .mail = {.on_delivered = on_written}, .reply_to = self->target->mailbox, .run = run_batch};
    background_post(self->target->background, &self->job);
}

static struct target *target_free(struct target *target)
{
    struct target_file *self = file_of(target);
    self->is_freed = true;
    if (!self->compressor_is_posted)
        free_now(self);
    return NULL;
}

static const struct target_ops ops = {
    .batch_new = batch_new,
    .add = add,
    .send = send,
    .batch_free = batch_free,
    .free = target_free,
};

enum err target_file_new_on(const struct target_file_settings *settings,
                            struct fs *fs,
                            struct background *background,
                            struct mailbox *mailbox,
                            struct target **ret_target)
{
    size_t title_size = sizeof "file:/" + strlen(settings->directory) + strlen(settings->name);
    struct target_file *self = calloc(1, sizeof *self + title_size);
    if (self == NULL)
        return ERR_MEMORY;
    (void)snprintf(self->title, title_size, "file:%s/%s", settings->directory, settings->name);
    (void)snprintf(self->name, sizeof self->name, "%s", settings->name);
    self->target = (struct target){.ops = &ops, .name = self->title};
    self->background = background;
    self->mailbox = mailbox;
    self->fs = fs;
    self->rotation = settings->rotation;
    self->batch_bytes = settings->batch_bytes;
    self->compressor = (struct background_job){
        .mail = {.on_delivered = on_compressed}, .reply_to = mailbox, .run = run_compressor};
    list_init(&self->files);
    *ret_target = &self->target;
    return ERR_NONE;
}

enum err target_file_new(const struct target_file_settings *settings,
                         struct background *background,
                         struct mailbox *mailbox,
                         struct why *why,
                         struct target **ret_target)
{
    struct fs *fs;
    enum err err = fs_linux_new(settings->directory, &fs);
    if (err != ERR_NONE)
        return why_set(why, err, "directory %s: %s", settings->directory, err_text(err));
    err = target_file_new_on(settings, fs, background, mailbox, ret_target);
    if (err != ERR_NONE) {
        fs_linux_free(fs);
        return err;
    }
    file_of(*ret_target)->owns_fs = true;
    return ERR_NONE;
}
