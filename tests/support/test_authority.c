/* Makes certificates with keys on P-256: they cost next to nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test_authority.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/check.h"

static void
put_path(const struct test_authority *authority, const char *file, const char *end, char path[static 128])
{
    check(snprintf(path, 128, "%s/%s%s", authority->folder, file, end) < 128);
}

static FILE *create(const char *path)
{
    FILE *file = fopen(path, "we");
    check(file != NULL);
    return file;
}

static void write_certificate(X509 *certificate, const char *path)
{
    FILE *file = create(path);
    check(PEM_write_X509(file, certificate) == 1);
    check(fclose(file) == 0);
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    check(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* Not signed yet. */
static X509 *
make_certificate(struct test_authority *authority, EVP_PKEY *key, const struct test_subject *subject)
{
    X509 *certificate = X509_new();
    check(certificate != NULL);
    check(X509_set_version(certificate, 2) == 1);
    check(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++authority->serial) == 1);
    check(X509_gmtime_adj(X509_getm_notBefore(certificate), subject->begins_s) != NULL);
    check(X509_gmtime_adj(X509_getm_notAfter(certificate), subject->ends_s) != NULL);
    check(X509_set_pubkey(certificate, key) == 1);
    X509_NAME *name = X509_get_subject_name(certificate);
    const unsigned char *text = (const unsigned char *)subject->common_name;
    check(text == NULL || X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1);
    return certificate;
}

void test_authority_init(struct test_authority *authority, const char *name)
{
    const struct test_subject subject = {"authority", name, NULL, -3600, 86400};
    *authority = (struct test_authority){.folder = "/tmp/waybill-test-XXXXXX"};
    check(mkdtemp(authority->folder) != NULL);
    put_path(authority, subject.file, ".pem", authority->cert_path);
    authority->key = EVP_EC_gen("P-256");
    authority->certificate = make_certificate(authority, authority->key, &subject);
    check(X509_set_issuer_name(authority->certificate, X509_get_subject_name(authority->certificate)) == 1);
    add_extension(authority->certificate, authority->certificate, NID_basic_constraints, "critical,CA:TRUE");
    check(X509_sign(authority->certificate, authority->key, EVP_sha256()) > 0);
    write_certificate(authority->certificate, authority->cert_path);
}

void test_authority_done(struct test_authority *authority)
{
    char command[128];
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
    (void)snprintf(command, sizeof command, "rm -r '%s'", authority->folder);
    check(system(command) == 0); /* NOLINT(cert-env33-c): the name is our own */
}

struct test_identity test_authority_issue(struct test_authority *authority,
                                          const struct test_subject *subject)
{
    struct test_identity identity;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(authority, key, subject);
    check(X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate)) == 1);
    if (subject->alternative_name != NULL)
        add_extension(certificate, authority->certificate, NID_subject_alt_name, subject->alternative_name);
    check(X509_sign(certificate, authority->key, EVP_sha256()) > 0);
    put_path(authority, subject->file, ".pem", identity.cert_path);
    put_path(authority, subject->file, ".key", identity.key_path);
    write_certificate(certificate, identity.cert_path);
    FILE *file = create(identity.key_path);
    check(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    check(fclose(file) == 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return identity;
}

void test_authority_write(const struct test_authority *authority,
                          const char *file,
                          const char *text,
                          char path[static 128])
{
    put_path(authority, file, "", path);
    FILE *stream = create(path);
    check(fputs(text, stream) >= 0);
    check(fclose(stream) == 0);
}
