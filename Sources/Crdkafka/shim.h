#ifndef CRDKAFKA_SHIM_H
#define CRDKAFKA_SHIM_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

// Swift cannot build the tagged unions of rd_kafka_produceva without a copy a field, so they are built here.
// The key and the value are copied; `headers` belongs to librdkafka when nothing is returned.
static inline rd_kafka_error_t *crdkafka_produce(
    rd_kafka_t *client,
    rd_kafka_topic_t *topic,
    int32_t partition,
    const void *key,
    size_t key_size,
    const void *value,
    size_t value_size,
    rd_kafka_headers_t *headers,
    int64_t timestamp
) {
    rd_kafka_vu_t fields[7];
    size_t count = 0;
    fields[count].vtype = RD_KAFKA_VTYPE_RKT;
    fields[count++].u.rkt = topic;
    fields[count].vtype = RD_KAFKA_VTYPE_PARTITION;
    fields[count++].u.i32 = partition;
    fields[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    fields[count++].u.i = RD_KAFKA_MSG_F_COPY;
    fields[count].vtype = RD_KAFKA_VTYPE_KEY;
    fields[count].u.mem.ptr = (void *)key;
    fields[count++].u.mem.size = key_size;
    fields[count].vtype = RD_KAFKA_VTYPE_VALUE;
    fields[count].u.mem.ptr = (void *)value;
    fields[count++].u.mem.size = value_size;
    if (headers) {
        fields[count].vtype = RD_KAFKA_VTYPE_HEADERS;
        fields[count++].u.headers = headers;
    }
    // 0 stands for now.
    fields[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    fields[count++].u.i64 = timestamp;
    return rd_kafka_produceva(client, fields, count);
}

// Refuses what OpenSSL refuses, and says why: librdkafka itself says of every fault of a certificate that it "could not be
// verified". Called on librdkafka's threads; the words go to the client's log.
static inline int crdkafka_judge_certificate(
    rd_kafka_t *client,
    const char *broker_name,
    int32_t broker_id,
    int *x509_error,
    int depth,
    const char *certificate,
    size_t certificate_size,
    char *reason,
    size_t reason_size,
    void *opaque
) {
    (void)client, (void)broker_name, (void)broker_id, (void)certificate, (void)certificate_size, (void)opaque;
    if (*x509_error == 0) return 1;
    snprintf(reason, reason_size, "x509 error %d at depth %d", *x509_error, depth);
    return 0;
}

// Where librdkafka is built without TLS there is nothing to judge.
static inline void crdkafka_name_certificate_faults(rd_kafka_conf_t *configuration) {
    (void)rd_kafka_conf_set_ssl_cert_verify_cb(configuration, crdkafka_judge_certificate);
}

#endif
