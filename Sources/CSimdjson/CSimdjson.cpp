#include "CSimdjson.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <simdjson.h>

struct flywheel_json_parser {
    simdjson::dom::parser parser;
    uint8_t *text = nullptr;
    size_t capacity = 0;

    ~flywheel_json_parser() { free(text); }

    /// Makes room for that many bytes and the padding that simdjson may read beyond them.
    bool reserve(size_t length) {
        if (length <= capacity && text != nullptr) { return true; }
        size_t wanted = length < 4096 ? 4096 : length + length / 2;
        auto *larger = static_cast<uint8_t *>(malloc(wanted + simdjson::SIMDJSON_PADDING));
        if (larger == nullptr) { return false; }
        free(text);
        text = larger;
        capacity = wanted;
        return true;
    }
};

extern "C" flywheel_json_parser *flywheel_json_parser_new(size_t max_depth) {
    auto *parser = new (std::nothrow) flywheel_json_parser;
    if (parser == nullptr) { return nullptr; }
    if (!parser->reserve(4096) || parser->parser.allocate(4096, max_depth) != simdjson::SUCCESS) {
        delete parser;
        return nullptr;
    }
    return parser;
}

extern "C" void flywheel_json_parser_free(flywheel_json_parser *parser) { delete parser; }

extern "C" bool flywheel_json_parse(
    flywheel_json_parser *parser, const uint8_t *text, size_t length, flywheel_json_document *document
) {
    if (length == 0 || !parser->reserve(length)) { return false; }
    memcpy(parser->text, text, length);
    memset(parser->text + length, 0, simdjson::SIMDJSON_PADDING);
    simdjson::dom::element root;
    if (parser->parser.parse(parser->text, length, false).get(root) != simdjson::SUCCESS) { return false; }
    document->tape = parser->parser.doc.tape.get();
    document->strings = parser->parser.doc.string_buf.get();
    return true;
}

extern "C" bool flywheel_json_scan(
    flywheel_json_parser *parser, const uint8_t *text, size_t length, flywheel_json_index *index
) {
    auto &dom = parser->parser;
    if (length == 0 || !parser->reserve(length)) { return false; }
    if (dom.capacity() < length && dom.allocate(length + length / 2, dom.max_depth()) != simdjson::SUCCESS) {
        return false;
    }
    memcpy(parser->text, text, length);
    memset(parser->text + length, 0, simdjson::SIMDJSON_PADDING);
    auto &implementation = *dom.implementation;
    if (implementation.stage1(parser->text, length, simdjson::stage1_mode::regular) != simdjson::SUCCESS) {
        return false;
    }
    index->text = parser->text;
    index->structure = implementation.structural_indexes.get();
    index->count = implementation.n_structural_indexes;
    return true;
}

extern "C" bool flywheel_json_double(const uint8_t *text, double *value) {
    return simdjson::builtin::numberparsing::parse_double(text).get(*value) == simdjson::SUCCESS;
}
