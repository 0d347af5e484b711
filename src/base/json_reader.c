/* A pull parser: one small state, one bit of memory per level of nesting. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_reader.h"

#include "base/check.h"
#include "base/utf8.h"

enum expects {
    EXPECTS_VALUE,
    EXPECTS_VALUE_OR_END, /* behind `[` */
    EXPECTS_NAME,
    EXPECTS_NAME_OR_END, /* behind `{` */
    EXPECTS_COMMA_OR_END,
    EXPECTS_NOTHING,
    EXPECTS_NO_MORE_CALLS, /* it was BAD */
};

void json_reader_init(struct json_reader *reader, struct span text)
{
    *reader = (struct json_reader){.text = text, .expects = EXPECTS_VALUE};
}

/* The byte at the reader's place; 0, which is legal nowhere outside of values, at the end. */
static uint8_t peek(const struct json_reader *reader)
{
    return reader->at < reader->text.len ? reader->text.data[reader->at] : 0;
}

static enum json_kind bad(struct json_reader *reader)
{
    reader->expects = EXPECTS_NO_MORE_CALLS;
    return JSON_BAD;
}

static void skip_white_space(struct json_reader *reader)
{
    for (uint8_t byte = peek(reader); byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
         byte = peek(reader))
        reader->at++;
}

static bool is_in_object(const struct json_reader *reader)
{
    return reader->depth > 0 && (reader->objects >> (reader->depth - 1) & 1) != 0;
}

static enum json_kind piece_ends(struct json_reader *reader, enum json_kind kind)
{
    reader->to = reader->at;
    reader->expects = reader->depth == 0 ? EXPECTS_NOTHING : EXPECTS_COMMA_OR_END;
    return kind;
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Behind a backslash; false with the place at the wrong byte. */
static bool take_escape(struct json_reader *reader)
{
    uint8_t byte = peek(reader);
    if (byte == 0 || strchr("\"\\/bfnrtu", byte) == NULL)
        return false;
    reader->at++;
    for (int i = 0; byte == 'u' && i < 4; i++, reader->at++)
        if (hex_digit(peek(reader)) < 0)
            return false;
    return true;
}

/* A string with its quotes; the place is at the first one. */
static bool take_string(struct json_reader *reader)
{
    reader->at++;
    while (reader->at < reader->text.len) {
        uint8_t byte = reader->text.data[reader->at];
        if (byte < 0x20)
            return false;
        if (byte == '"') {
            reader->at++;
            return true;
        }
        if (byte == '\\') {
            reader->at++;
            if (!take_escape(reader))
                return false;
            continue;
        }
        size_t len = byte < 0x80 ? 1 : utf8_character_len(span_after(reader->text, reader->at));
        if (len == 0)
            return false;
        reader->at += len;
    }
    return false;
}

static bool take_digits(struct json_reader *reader)
{
    size_t first = reader->at;
    while (peek(reader) >= '0' && peek(reader) <= '9')
        reader->at++;
    return reader->at > first;
}

static bool take_number(struct json_reader *reader)
{
    if (peek(reader) == '-')
        reader->at++;
    if (peek(reader) == '0')
        reader->at++;
    else if (!take_digits(reader))
        return false;
    if (peek(reader) == '.') {
        reader->at++;
        if (!take_digits(reader))
            return false;
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        reader->at++;
        if (peek(reader) == '+' || peek(reader) == '-')
            reader->at++;
        return take_digits(reader);
    }
    return true;
}

static enum json_kind take_word(struct json_reader *reader, const char *word, enum json_kind kind)
{
    for (; *word != '\0'; word++, reader->at++)
        if (peek(reader) != (uint8_t)*word)
            return bad(reader);
    return piece_ends(reader, kind);
}

static enum json_kind begin(struct json_reader *reader, bool is_object)
{
    if (reader->depth == JSON_DEPTH_MAX)
        return bad(reader);
    uint64_t bit = UINT64_C(1) << reader->depth++;
    reader->objects = is_object ? reader->objects | bit : reader->objects & ~bit;
    reader->at++;
    reader->to = reader->at;
    reader->expects = is_object ? EXPECTS_NAME_OR_END : EXPECTS_VALUE_OR_END;
    return is_object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN;
}

static enum json_kind end(struct json_reader *reader)
{
    bool is_object = is_in_object(reader);
    if (peek(reader) != (is_object ? '}' : ']'))
        return bad(reader);
    reader->at++;
    reader->depth--;
    return piece_ends(reader, is_object ? JSON_OBJECT_END : JSON_ARRAY_END);
}

static enum json_kind value(struct json_reader *reader)
{
    switch (peek(reader)) {
    case '{': return begin(reader, true);
    case '[': return begin(reader, false);
    case 't': return take_word(reader, "true", JSON_TRUE);
    case 'f': return take_word(reader, "false", JSON_FALSE);
    case 'n': return take_word(reader, "null", JSON_NULL);
    case '"': return take_string(reader) ? piece_ends(reader, JSON_STRING) : bad(reader);
    default: return take_number(reader) ? piece_ends(reader, JSON_NUMBER) : bad(reader);
    }
}

static enum json_kind name(struct json_reader *reader)
{
    if (peek(reader) != '"' || !take_string(reader))
        return bad(reader);
    reader->to = reader->at;
    skip_white_space(reader);
    if (peek(reader) != ':')
        return bad(reader);
    reader->at++;
    reader->expects = EXPECTS_VALUE;
    return JSON_NAME;
}

/* The place is at what follows a value inside a container. */
static enum json_kind comma_or_end(struct json_reader *reader)
{
    if (peek(reader) != ',')
        return end(reader);
    reader->at++;
    skip_white_space(reader);
    reader->from = reader->at;
    return is_in_object(reader) ? name(reader) : value(reader);
}

enum json_kind json_reader_next(struct json_reader *reader)
{
    if (reader->expects == EXPECTS_NO_MORE_CALLS)
        return JSON_BAD;
    skip_white_space(reader);
    reader->from = reader->at;
    switch ((enum expects)reader->expects) {
    case EXPECTS_VALUE_OR_END: return peek(reader) == ']' ? end(reader) : value(reader);
    case EXPECTS_NAME_OR_END: return peek(reader) == '}' ? end(reader) : name(reader);
    case EXPECTS_NAME: return name(reader);
    case EXPECTS_COMMA_OR_END: return comma_or_end(reader);
    case EXPECTS_NOTHING: return reader->at == reader->text.len ? JSON_END : bad(reader);
    case EXPECTS_VALUE:
    case EXPECTS_NO_MORE_CALLS: break;
    }
    return value(reader);
}

bool json_reader_skip(struct json_reader *reader)
{
    size_t from = reader->from;
    unsigned outside = reader->depth - 1;
    if (reader->expects == EXPECTS_VALUE) { /* behind a name */
        outside = reader->depth;
        if (json_reader_next(reader) == JSON_BAD)
            return false;
        from = reader->from;
    }
    while (reader->depth > outside)
        if (json_reader_next(reader) == JSON_BAD)
            return false;
    reader->from = from;
    return true;
}

struct span json_reader_piece(const struct json_reader *reader)
{
    check(reader->to <= reader->text.len && reader->from <= reader->to);
    struct span piece = span_of(reader->text.data + reader->from, reader->to - reader->from);
    if (piece.len >= 2 && piece.data[0] == '"')
        return span_of(piece.data + 1, piece.len - 2);
    return piece;
}

static uint32_t hex4(const uint8_t *digits)
{
    uint32_t number = 0;
    for (int i = 0; i < 4; i++)
        number = number << 4 | (uint32_t)hex_digit(digits[i]);
    return number;
}

/* At `\u`: the code point and how many bytes of the piece it takes. */
static uint32_t take_code_point(struct span piece, size_t *ret_len)
{
    uint32_t first = hex4(piece.data + 2);
    *ret_len = 6;
    if (first < 0xd800 || first > 0xdfff)
        return first;
    if (first < 0xdc00 && piece.len >= 12 && piece.data[6] == '\\' && piece.data[7] == 'u') {
        uint32_t second = hex4(piece.data + 8);
        if (second >= 0xdc00 && second <= 0xdfff) {
            *ret_len = 12;
            return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        }
    }
    return 0xfffd;
}

/* The first character of a checked piece, resolved; at most 4 bytes, never more than it took. */
static size_t take_character(struct span *piece, uint8_t to[static 4])
{
    static const char letters[] = "bfnrt";
    static const char meant[] = "\b\f\n\r\t";
    size_t taken = 1;
    size_t len = 1;
    to[0] = piece->data[0];
    if (to[0] == '\\' && piece->data[1] == 'u') {
        len = utf8_put(to, take_code_point(*piece, &taken));
    } else if (to[0] == '\\') {
        const char *letter = strchr(letters, piece->data[1]);
        to[0] = letter == NULL ? piece->data[1] : (uint8_t)meant[letter - letters];
        taken = 2;
    }
    *piece = span_after(*piece, taken);
    return len;
}

bool json_text_equal(struct span piece, const char *text)
{
    struct span rest = span_from_text(text);
    while (piece.len > 0) {
        uint8_t character[4];
        size_t len = take_character(&piece, character);
        if (len > rest.len || memcmp(character, rest.data, len) != 0)
            return false;
        rest = span_after(rest, len);
    }
    return rest.len == 0;
}

size_t json_text_resolve(struct span piece, uint8_t *to)
{
    size_t at = 0;
    while (piece.len > 0) {
        uint8_t character[4];
        size_t len = take_character(&piece, character);
        memcpy(to + at, character, len);
        at += len;
    }
    return at;
}

bool json_number_to_i64(struct span piece, int64_t *ret_value)
{
    bool is_negative = piece.len > 0 && piece.data[0] == '-';
    uint64_t value;
    if (!span_to_u64(is_negative ? span_after(piece, 1) : piece, &value))
        return false;
    if (value > (uint64_t)INT64_MAX + is_negative)
        return false;
    *ret_value = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}
