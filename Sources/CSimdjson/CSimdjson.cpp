#include "CSimdjson.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <simdjson.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

// GCC defines the one, Clang knows the other.
#if defined(__SANITIZE_ADDRESS__)
#define FLYWHEEL_HAS_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLYWHEEL_HAS_ADDRESS_SANITIZER 1
#endif
#endif

static_assert(simdjson::SIMDJSON_PADDING >= 64, "what stands behind a text is read in blocks of 64 bytes");

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

/// Whether that many bytes and the padding behind them lie on pages that the text is on: then they can be read, whatever they
/// are.
static bool has_readable_padding(const uint8_t *text, size_t length) {
#if FLYWHEEL_HAS_ADDRESS_SANITIZER
    return false;
#else
    constexpr uintptr_t page = 4096;
    return ((reinterpret_cast<uintptr_t>(text) + length - 1) & (page - 1)) + simdjson::SIMDJSON_PADDING < page;
#endif
}

extern "C" bool flywheel_json_scan(
    flywheel_json_parser *parser, const uint8_t *text, size_t length, flywheel_json_index *index
) {
    auto &dom = parser->parser;
    auto is_space = [](uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; };
    while (length > 0 && is_space(text[length - 1])) { length -= 1; }
    // A number that ends the text would be read beyond it.
    if (length == 0 || (text[length - 1] != '}' && text[length - 1] != ']' && text[length - 1] != '"')) {
        return false;
    }
    if (dom.capacity() < length && dom.allocate(length + length / 2, dom.max_depth()) != simdjson::SUCCESS) {
        return false;
    }
    if (!has_readable_padding(text, length)) {
        if (!parser->reserve(length)) { return false; }
        memcpy(parser->text, text, length);
        memset(parser->text + length, 0, simdjson::SIMDJSON_PADDING);
        text = parser->text;
    }
    auto &implementation = *dom.implementation;
    if (implementation.stage1(text, length, simdjson::stage1_mode::regular) != simdjson::SUCCESS) {
        return false;
    }
    index->text = text;
    index->structure = implementation.structural_indexes.get();
    index->count = implementation.n_structural_indexes;
    return true;
}

extern "C" bool flywheel_json_double(const uint8_t *text, double *value) {
    return simdjson::builtin::numberparsing::parse_double(text).get(*value) == simdjson::SUCCESS;
}

#if defined(__SSE2__)
namespace {

#define FLYWHEEL_AVX2 __attribute__((target("avx2,popcnt")))

/// Where each kind of byte stands among 64.
struct Kinds {
    uint64_t digits = 0, zeros = 0, points = 0, commas = 0, signs = 0;
};

/// Sixteen bytes at a time, as every processor can.
struct Kinds128 : Kinds {
    explicit Kinds128(const uint8_t *text) {
        for (int part = 0; part < 4; part += 1) {
            auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(text + 16 * part));
            auto marks = [part](__m128i equal) {
                return static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(equal))) << (16 * part);
            };
            auto values = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
            digits |= marks(_mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values));
            zeros |= marks(_mm_cmpeq_epi8(values, _mm_setzero_si128()));
            points |= marks(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
            commas |= marks(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
            signs |= marks(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
        }
    }
};

FLYWHEEL_AVX2 inline uint64_t marks256(__m256i low, __m256i high) {
    return static_cast<uint32_t>(_mm256_movemask_epi8(low))
        | static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(high))) << 32;
}

FLYWHEEL_AVX2 inline uint64_t places256(__m256i low, __m256i high, char byte) {
    auto wanted = _mm256_set1_epi8(byte);
    return marks256(_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted));
}

/// Thirty-two at a time.
struct Kinds256 : Kinds {
    FLYWHEEL_AVX2 explicit Kinds256(const uint8_t *text) {
        auto low = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(text));
        auto high = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(text + 32));
        auto nought = _mm256_set1_epi8('0'), nine = _mm256_set1_epi8(9);
        auto a = _mm256_sub_epi8(low, nought), b = _mm256_sub_epi8(high, nought);
        digits = marks256(
            _mm256_cmpeq_epi8(_mm256_min_epu8(a, nine), a), _mm256_cmpeq_epi8(_mm256_min_epu8(b, nine), b)
        );
        zeros = places256(low, high, '0');
        points = places256(low, high, '.');
        commas = places256(low, high, ',');
        signs = places256(low, high, '-');
    }
};

/// The places behind these; the last of a block is carried to the next.
__attribute__((always_inline)) inline uint64_t behind(uint64_t places, uint64_t &carry) {
    uint64_t result = places << 1 | carry;
    carry = places >> 63;
    return result;
}

/// The list at `text`, its bytes told apart by `Block`.
template <typename Block>
__attribute__((always_inline)) inline bool read_list(const uint8_t *text, flywheel_json_numbers *numbers) {
    // A list begins as it goes on behind a comma.
    uint64_t comma = 1, sign = 0, whole = 0, point = 0, digit = 0;
    size_t count = 1, large = 0, tenths = 0, length = 0;
    while (true) {
        const Block kinds(text + length);
        uint64_t others = ~(kinds.digits | kinds.points | kinds.commas | kinds.signs);
        // The bytes up to the first that ends the list, and that one.
        uint64_t end = others & -others;
        uint64_t inside = end == 0 ? ~uint64_t(0) : end - 1;
        uint64_t commas = kinds.commas & inside, points = kinds.points & inside, signs = kinds.signs & inside;
        uint64_t digits = kinds.digits & inside;
        // A sign stands first in a number, then one digit, then nothing or a point, then digits.
        uint64_t starts = behind(commas, comma);
        uint64_t wholes = (starts & ~signs) | behind(signs, sign);
        uint64_t after_whole = behind(wholes, whole);
        uint64_t fractions = behind(points, point);
        uint64_t after_digit = behind(digits, digit);
        uint64_t faults = (signs & ~starts) | (wholes & ~digits) | (after_whole & ~(points | commas | end))
            | (points & ~after_whole) | (fractions & ~digits) | ((commas | end) & ~after_digit);
        if ((faults & (inside | end)) != 0) { return false; }
        uint64_t above = wholes & ~kinds.zeros & inside;
        if (above != 0) { large += __builtin_popcountll(above); }
        count += __builtin_popcountll(commas);
        tenths += __builtin_popcountll(fractions & ~kinds.zeros & inside);
        if (end != 0) {
            length += __builtin_ctzll(end);
            if (text[length] != ']') { return false; }
            numbers->count = count;
            numbers->length = length;
            numbers->squares = 100.0 * static_cast<double>(large) + static_cast<double>(tenths) + 0.01 * static_cast<double>(count);
            return true;
        }
        length += 64;
    }
}

FLYWHEEL_AVX2 bool read_list256(const uint8_t *text, flywheel_json_numbers *numbers) {
    return read_list<Kinds256>(text, numbers);
}

}  // namespace
#endif

extern "C" bool flywheel_json_list(const uint8_t *text, flywheel_json_numbers *numbers) {
#if defined(__SSE2__)
    static const bool is_wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
    if (is_wide) { return read_list256(text, numbers); }
#endif
    return flywheel_json_list_narrow(text, numbers);
}

extern "C" bool flywheel_json_list_narrow(const uint8_t *text, flywheel_json_numbers *numbers) {
#if defined(__SSE2__)
    return read_list<Kinds128>(text, numbers);
#else
    (void)text;
    (void)numbers;
    return false;
#endif
}
