#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A simdjson DOM parser with its padded copy of the text.
typedef struct flywheel_json_parser flywheel_json_parser;

/// A parsed document. Both pointers belong to the parser and hold until its next parse.
typedef struct {
    /// The tape: simdjson describes its format on the page "tape" of its documentation.
    const uint64_t *tape;
    /// Where string words of the tape point: a 32-bit length, then UTF-8.
    const uint8_t *strings;
} flywheel_json_document;

/// Returns a parser for documents nested at most max_depth deep, or null when memory is short.
flywheel_json_parser *flywheel_json_parser_new(size_t max_depth);

/// Frees the parser with its document.
void flywheel_json_parser_free(flywheel_json_parser *parser);

/// Copies and parses the text. Returns whether it is valid JSON; the document is set only then.
bool flywheel_json_parse(
    flywheel_json_parser *parser, const uint8_t *text, size_t length, flywheel_json_document *document
);

/// A text whose structure is known and whose values are not read. The structure belongs to the parser and holds until its next
/// text.
typedef struct {
    /// The text itself, or the parser's copy of it. Behind it 64 more bytes can be read, whatever they are.
    const uint8_t *text;
    /// Where each of { } [ ] : , stands, and where each scalar begins (a string with its quote), ascending.
    const uint32_t *structure;
    size_t count;
} flywheel_json_index;

/// Finds the structure of a text. Returns false unless it is UTF-8, every string in it ends, and it
/// ends as an object, an array or a string does.
bool flywheel_json_scan(
    flywheel_json_parser *parser, const uint8_t *text, size_t length, flywheel_json_index *index
);

/// Reads the number that begins there, in a padded text, correctly rounded. Returns whether it is one and ends as it must.
bool flywheel_json_double(const uint8_t *text, double *value);

/// Numbers of a list that were looked at and not read.
typedef struct {
    size_t count;
    /// Bytes up to the bracket that ends the list.
    size_t length;
    /// At least the sum of the squares.
    double squares;
} flywheel_json_numbers;

/// Looks at a list from the byte behind its opening bracket on, 64 bytes at a time. Behind the text's last bracket 63 more bytes
/// must be readable, whatever they are. Returns whether the list holds numbers of one digit before the point, without white
/// space and exponents, and nothing else; false of any other list, good or bad, and where the processor has no SSE2.
bool flywheel_json_list(const uint8_t *text, flywheel_json_numbers *numbers);

/// The same, as a processor without AVX2 does it.
bool flywheel_json_list_narrow(const uint8_t *text, flywheel_json_numbers *numbers);

/// Asks the processor to have a text at hand that is read soon.
static inline void flywheel_json_prefetch(const uint8_t *text, size_t length) {
    size_t most = length < 1024 ? length : 1024;
    for (size_t place = 0; place < most; place += 64) { __builtin_prefetch(text + place); }
    if (length > 0) { __builtin_prefetch(text + length - 1); }
}

#ifdef __cplusplus
}
#endif
