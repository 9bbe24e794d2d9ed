#ifndef TESTS_UNIT_KEY_VECTORS_H
#define TESTS_UNIT_KEY_VECTORS_H

/*
 * Bytes worked out from KEYS.md by a second, independent implementation, so
 * that the specification, and not this code, says what is right.
 *
 * Throughout, run(n) is the bytes n, n + 1, n + 2, ...: private halves, seeds,
 * salts and ids. Person 'Ada' and host 'db1' have the private halves run(0)
 * (X25519) and run(0x20) (Ed25519); store id run(0xc0), dataset run(0xa0).
 */
#include <stddef.h>
#include <stdint.h>

#define PASSPHRASE "correct horse"
#define CREATED 1795221600 /* 2026-11-21 00:40 UTC */
#define UNTIL 1826757600   /* a year later */

/* run(): ${len} bytes from ${first} on. */
static inline void
run(uint8_t first, void *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)out)[i] = (uint8_t)(first + i);
}

/* key run(0), label "test", salt run(0x40), data "ad", text "plaintext" */
#define V_BOX                                                                  \
	"404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"     \
	"66d9576779fab0f3900c375ebf45c05b6cbf7a4c4c840e77a3774103364a2e59"     \
	"50724d019ae6739c9de86c7cc3936ebf96813cd3ca353986ba"

/*
 * seal key run(0), ephemeral key run(0x20), epoch 3, version 1, kind 2, salt
 * run(0x60); the segment: counter 5, data "ad", text "segment"
 */
#define V_PACK_ENC                                                             \
	"358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"
#define V_PACK_COMMIT                                                          \
	"49965ea1f1cdff459fb5b07c7e069da5817c82e75556aab9f9881dee769cd46f"
#define V_PACK_SEGMENT "49b1590130dc9bb788abd0c6f5addf3d397a7f0fb2b5e6"

/*
 * id key run(0); names of "chunk", by kind; the cut of run(0), 64 bytes; and
 * the local key "test"
 */
#define V_NAME_DATA                                                            \
	"03d588adf519dbfc92003a6886d22753990c967ca13056e229139e1e8b18c7b3"
#define V_NAME_LIST                                                            \
	"e6076d43921d5127dfd845c3df7fdda86034c73f4d5cff1fb8d71db5b270b641"
#define V_NAME_TREE                                                            \
	"6025407d952f81ba13285bf8f26f71d9f85404b5b4efb85b5e01ff5227d17151"
#define V_CUT UINT64_C(0xc08377edb4324a48)
#define V_LOCAL                                                                \
	"86788f73c8806cbcd3d0ca883545e6d0d5c379aab7d56b5b4300d27854200bd2"
#define V_PERSON_ID "ae959c894420daaf74eb89e08fad0111"

/* cost N = 2^10; salts run(0x60) and run(0x80) */
#define V_PERSON                                                               \
	"5652566e0100000001034164618f40c5adb68f25624ae5b214ea767a6ec94d82"     \
	"9d3d7b5e1ad1ba6f3e2138285f29acbae141bccaf0b22e1a94d34d0bc7361e52"     \
	"6d0bfe12c89794bc9322966dd70a0801606162636465666768696a6b6c6d6e6f"     \
	"707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"     \
	"909192939495969798999a9b9c9d9e9f3bfb7c5af8cf7130e6f8b3f7327dec0d"     \
	"c30721f03edb5884a8d8b12bc45957183c44db9f2d47ecbbc58609e4412ee175"     \
	"07bba6afd1294899d65f82130e7f28a078c8127b69563608dbb89b98669b92bf"     \
	"3d039aff6d5c55775bd078ae4dd84ca8cca62e616895f4a70dd2acfe7019656f"     \
	"d8a1b3304a4d84667a09167f108904aab784f56c8d8f00286c3a559a40787004"     \
	"19c42c0b1a9f043217946d9d441a40cc6187271c8c7608885aeba6d4e8f08503"
#define V_HOST                                                                 \
	"5652566e0100000002036462318f40c5adb68f25624ae5b214ea767a6ec94d82"     \
	"9d3d7b5e1ad1ba6f3e2138285f29acbae141bccaf0b22e1a94d34d0bc7361e52"     \
	"6d0bfe12c89794bc9322966dd700000000000000000000000000000000000000"     \
	"00000000000000000000000000000000808182838485868788898a8b8c8d8e8f"     \
	"909192939495969798999a9b9c9d9e9f06c7f1b1eefb72412f8db0f053543d2a"     \
	"ba6c179db1ed2ccb28ac512d1d13b351c9da5ac3c2c7704d2c9176862cab31e1"     \
	"6122fb8405862ce3d1740d5ddb9ab3c9e804b071d80c346ef403fbf7b8f4f9d4"     \
	"3895fe0d2b17ca43e9a418d2d3a7b2b84d590900a184b6b09953d57ac6fde2fe"     \
	"f89741ea2d7c4b025bfbf9e17423bd950fb28172059dcb8e2ae9fc02f1f9c8cf"     \
	"6f5649183272b73d0ad3e797bb48f8a14d28007427a42828e4e1b502fd22bb05"
/* by Ada; master seed run(0x40) */
#define V_ROOT                                                                 \
	"5652567301000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecf60e8006b00000000"     \
	"01034164618f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f"     \
	"3e2138285f29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc"     \
	"9322966dd77a3d53d3763511758c5d6cf5f126bee286530674a33526ae58c382"     \
	"fbce86b75edd4870dc3807a3e529895a27c0eae3fd658eb8c998c688e5b16e51"     \
	"4f11e4bbdda74c87436959e91a5012c08966c97d69256d559570ae48da0fa654"     \
	"e633ad7c9797c011c9b4a62af25fad92057bdace7ccb25f33e616161a943c1fe"     \
	"6e76a9220f"
#define V_FINGERPRINT                                                          \
	"45HF-4LL7-NZXR-GF63-5FB7-L6YD-3JRV-KG2X-24KA-NT2E-ZXI2-LZ2U-UFAA"
#define V_RECOVERY_TEXT                                                        \
	"CEJB-GFAV-CYLR-QGI2-DMOB-2HQ7-EAQS-EIZE-"                             \
	"EUTC-OKBJ-FIVS-YLJO-F4YK-JI7T"

/* recovery key run(0x11), salt run(0x80) */
#define V_RECOVERY                                                             \
	"5652567201000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecf8081828384858687"     \
	"88898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f780e46261e7e00de"     \
	"68380438379c48f314a9a11842f57b55f99cf4df4cd4ea3c141d58de84ec8e83"     \
	"0cca36a1eb2865ff8f219fafffb265f1974fba8e8088302cde73b81aa568c306"     \
	"3445aa61bdd76ceb774ee06e1aa7768bb375b342c952775c01494e32fc2290d3"     \
	"21fe69b55038ec3ea8a8e6e5571386c11264c4194f1e1b86a2f39475a9d6357f"     \
	"556d8b72c91cea0c"
/* epoch 2, name db/clarity, seal run(0x51), id run(0x71), index run(0x91) */
#define V_KEYSET_PRIVATE                                                       \
	"01a0a1a2a3a4a5a6a7a8a9aaabacadaeaf020000000a64622f636c6172697479"     \
	"5152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f70"     \
	"7172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f90"     \
	"9192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0"
#define V_KEYSET_PUBLIC                                                        \
	"00a0a1a2a3a4a5a6a7a8a9aaabacadaeaf020000000a64622f636c6172697479"     \
	"0233f006ef4bed144ea0a5bb46c7067c7c2acec5f8cc811f3df59fdcd5ac7614"     \
	"7172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f90"     \
	"9192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0"

/* signed by Ada; ephemeral key run(0x21) */
#define V_KEYSET                                                               \
	"5652566b01000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfa0a1a2a3a4a5a6a7"     \
	"a8a9aaabacadaeaf02000000ae959c894420daaf74eb89e08fad0111b0015869"     \
	"aff450549732cbaaed5e5df9b30a6da31cb0e5742bad5ad4a1a768f1a67b4ae8"     \
	"8ac3dc6e6dee2a17a04d28bf49d07ea4ff27c44005ffebdb8f521ed418076e0b"     \
	"ee6333132f385a0ad29d97c36aae29a281f97b43533b1f534e539001f4e6bbee"     \
	"ce4790eed7d1ecee49f2ae52c275618d44c1fdc14c14b746c4073fe21674c3be"     \
	"538ba147c073cab293c53482c6cc974efacb629d014092b9a51334097e213beb"     \
	"ba7b87d7de36f43a5dc96aebcaf1ec3699b89150f928dbb8a5524ee732702be8"     \
	"fba522615884d6dfc181739d13a8593c6253442d7d3936748c8c8f875b4c6e9c"     \
	"7d8d2e8cff5d0a43411cde84230c"

/* to db1, as a writer, from CREATED until UNTIL; ephemeral key run(0x22) */
#define V_GRANT                                                                \
	"5652566701000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecf03a0a1a2a3a4a5a6"     \
	"a7a8a9aaabacadaeaf0200000002036462318f40c5adb68f25624ae5b214ea76"     \
	"7a6ec94d829d3d7b5e1ad1ba6f3e2138285f29acbae141bccaf0b22e1a94d34d"     \
	"0bc7361e526d0bfe12c89794bc9322966dd760e8006b00000000e01be26c0000"     \
	"0000ae959c894420daaf74eb89e08fad0111b00186c15a1119201d2a9a6023ac"     \
	"eeaf49664a54186ad2db465845331707b6da2b0dbf04c1f0cab5f822c5d229d9"     \
	"504873f7774c8e816f2f18805d2b1e23862fb3623b72e9160270d47ed945750f"     \
	"d34e48c38676bce1bd57e1e5fe1c0da89ef123b3c6f926813502250dcb154d35"     \
	"f3c3fe28e446f6556d3796b7cd714a8dc1bfe63b8aa976b3e1b8ab09d2d81462"     \
	"6d02bccd4c03ff043225b49a8fcd9cda8617ef9a22738fd4a7f3fc2a8ee82efd"     \
	"7d6082712e33071ceb4c41802b2d42e05e2597e52f533d5a60a4b6390cd76a5e"     \
	"43bc6418c2f99bab320bd98375f332190c38bcfe5d269639b30b23b810821df4"     \
	"ffb7810a"

#endif
