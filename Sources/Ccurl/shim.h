#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

// Swift cannot call C functions of variable arguments; and what libcurl calls while it transfers stays here, so that C never
// calls Swift.

/// Bytes that come in pieces; `bytes` is free's. Past `limit` nothing more is taken, and the transfer ends.
struct flywheel_curl_bytes {
    char *bytes;
    size_t count;
    size_t capacity;
    size_t limit;
    int is_over;
};

static inline size_t flywheel_curl_take(char *data, size_t size, size_t number, void *context) {
    struct flywheel_curl_bytes *to = (struct flywheel_curl_bytes *)context;
    size_t count = size * number;
    if (count > to->limit - to->count) {
        to->is_over = 1;
        return count == 0 ? 1 : 0;
    }
    if (count > to->capacity - to->count) {
        size_t wanted = to->capacity * 2 < to->count + count ? to->count + count : to->capacity * 2;
        if (wanted > to->limit) wanted = to->limit;
        char *grown = (char *)realloc(to->bytes, wanted);
        if (grown == NULL) return 0;
        to->bytes = grown;
        to->capacity = wanted;
    }
    memcpy(to->bytes + to->count, data, count);
    to->count += count;
    return count;
}

static inline CURLcode flywheel_curl_set_number(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode flywheel_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

/// The list must outlive the transfer.
static inline CURLcode flywheel_curl_set_headers(CURL *handle, struct curl_slist *list) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
}

/// The bytes, which must outlive the transfer, as the request's body.
static inline CURLcode flywheel_curl_set_body(CURL *handle, const void *bytes, size_t count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_POSTFIELDS, count == 0 ? "" : bytes);
}

/// Where the answer's headers and body go; both must outlive the transfer.
static inline CURLcode flywheel_curl_collect(
    CURL *handle, struct flywheel_curl_bytes *headers, struct flywheel_curl_bytes *body
) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, flywheel_curl_take);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_HEADERDATA, headers);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, flywheel_curl_take);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_WRITEDATA, body);
}

/// Where libcurl writes what went wrong; CURL_ERROR_SIZE bytes that outlive the transfer.
static inline CURLcode flywheel_curl_set_error(CURL *handle, char *text) {
    return curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, text);
}

/// The status of the answer; 0 if there was none.
static inline long flywheel_curl_status(CURL *handle) {
    long status = 0;
    return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK ? status : 0;
}

/// Once, before any thread uses libcurl.
static inline CURLcode flywheel_curl_start(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }
