package tokenizer

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/tokenizer/regex"
	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// preset is how a BPE model of a GGUF file prepares its text, by the name in tokenizer.ggml.pre.
type preset struct {
	nfc          bool
	splits       []string // regular expressions that cut one after the other
	digits       bool     // each digit alone, before the rest
	gpt2         bool     // GPT-2's own pattern at the end
	spaces       bool     // text stays as it is but for spaces, written as U+2581; no byte-level characters
	plain        bool     // text stays as it is
	ignoreMerges bool
	bos          bool // whether a text begins with the begin-of-text token if the file does not say
}

// Regular expressions that only presets use. They are those of the models' own tokenizer.json where these are known,
// else llama.cpp's.
const (
	contractions = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
	lineTail     = `|\s*[\r\n]+|\s+(?!\S)|\s+`

	patternMarks      = contractions + `|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*` + lineTail
	patternNumbers    = contractions + `|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*` + lineTail
	patternJais2      = contractions + `|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}`
	patternUfakzeka   = `[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*` + lineTail
	patternSeedCoder  = contractions + `|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+` + lineTail
	patternBailing    = `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`
	patternExaoneMoE  = contractions + `|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+`
	patternKimi       = `[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+` + contractions + `?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*` + contractions + `?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*` + lineTail
	patternYoutu      = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+` + contractions + `?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*` + contractions + `?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*` + lineTail
	patternSpark      = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+|[\r\n]|\\s+(?!\\S)|\\s+"
	patternBloom      = ` ?[^(\s|.,!?…。，、।۔،)]+`
	patternLines      = `[^\n]+|[\n]+`
	patternAsian      = `[一-鿿㐀-䶿\x{f900}-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+`
	patternHangul     = `[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+`
	patternHanHangul  = `[一-龥ࠀ-一가-퟿]+`
	patternCased      = `\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\x{1f7d}ᾀ-ᾴᾶ-ᾼ\x{1fbe}ῂ-ῄῆ-ῌῐ-\x{1fd3}ῖ-\x{1fdb}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\x{2126}ℨ\x{212a}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+`
	patternThreeFirst = `\p{Nd}{1,3}(?=(?:\p{Nd}{3})*(?!\p{Nd}))` // the first group of digits is the short one
)

// presets are the names that llama.cpp knows (src/llama-vocab.cpp).
var presets = func() map[string]preset {
	all := map[string]preset{}
	add := func(p preset, names ...string) {
		for _, n := range names {
			all[n] = p
		}
	}
	deepSeek := []string{tokenizer.PatternNumbers, tokenizer.PatternHan, tokenizer.PatternDeepSeek}
	add(preset{gpt2: true}, "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum", "modern-bert", "exaone4",
		"jina-v1-en", "jina-v2-code", "roberta-bpe", "jais", "trillion", "granite-docling")
	add(preset{nfc: true, gpt2: true}, "default", "mpt", "olmo")
	add(preset{splits: []string{tokenizer.PatternLlama3}, ignoreMerges: true, bos: true},
		"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano")
	add(preset{splits: []string{tokenizer.PatternLlama3}}, "dbrx", "smaug-bpe", "glm4", "chatglm-bpe")
	add(preset{nfc: true, splits: []string{tokenizer.PatternQwen2}}, "qwen2", "deepseek-r1-qwen")
	add(preset{splits: []string{tokenizer.PatternQwen2}}, "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "solar-open", "grok-2")
	add(preset{nfc: true, splits: []string{patternMarks}}, "qwen35")
	add(preset{splits: []string{patternUfakzeka}}, "ufakzeka")
	add(preset{splits: []string{tokenizer.PatternNumbers, patternNumbers}, ignoreMerges: true}, "minicpm5")
	add(preset{splits: []string{patternJais2}}, "jais-2")
	add(preset{splits: []string{tokenizer.PatternO200k}}, "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2")
	add(preset{splits: []string{tokenizer.PatternO200k}, ignoreMerges: true}, "granite-embed-multi-97m")
	add(preset{splits: []string{`\d{1,3}(?=(?:\d{3})*\b)`, tokenizer.PatternO200k}}, "tiny_aya", "cohere2moe")
	add(preset{splits: []string{tokenizer.PatternTekken}, ignoreMerges: true, bos: true}, "tekken")
	add(preset{splits: []string{patternKimi}}, "kimi-k2")
	add(preset{splits: []string{patternHangul, patternYoutu}, ignoreMerges: true}, "youtu")
	add(preset{digits: true, gpt2: true}, "starcoder", "refact", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2")
	add(preset{nfc: true, digits: true, gpt2: true}, "command-r")
	add(preset{splits: []string{"[\\p{P}\\$\\+<=>\\^~\\|`]+", tokenizer.PatternGPT2, `[0-9][0-9][0-9]`}}, "falcon")
	add(preset{splits: deepSeek}, "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4")
	add(preset{splits: []string{tokenizer.PatternNumbers, tokenizer.PatternHan, patternSpark, `\p{N}`}}, "spark2_5")
	add(preset{splits: []string{patternThreeFirst, patternAsian, tokenizer.PatternDeepSeek}}, "afmoe")
	add(preset{splits: []string{"[\r\n]", patternCased, `\s?[!-/:-~！-／：-～‘-‟　-。]+`, `\s+$`, patternHanHangul, `\p{N}+`}}, "deepseek-llm")
	add(preset{splits: []string{"[\r\n]", `\s?\p{L}+`, `\s?\p{P}+`, patternHanHangul, `\p{N}`}}, "deepseek-coder")
	add(preset{splits: []string{patternBloom}}, "poro-chat", "bloom", "gpt3-finnish")
	add(preset{splits: []string{patternBloom, `\p{N}`}}, "viking")
	add(preset{splits: []string{`<sentinel:[0-9]+>`, `(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z`, `([\t\n]|    |  )`, `\p{N}`, "[\\p{P}!-/:-@\\[-`{-~]", tokenizer.PatternGPT2}, bos: true}, "chameleon")
	add(preset{splits: []string{`\p{N}+`, `(?=(\d{3})+(?!\d))`}}, "superbpe")
	add(preset{splits: []string{patternBailing}}, "bailingmoe", "bailingmoe2", "llada-moe")
	add(preset{splits: []string{patternSeedCoder}}, "seed-coder")
	add(preset{splits: []string{patternLines, tokenizer.PatternQwen2}}, "laguna")
	add(preset{splits: []string{patternExaoneMoE}}, "exaone-moe")
	add(preset{splits: []string{patternLines}, spaces: true, bos: true}, "gemma4", "granite-embed-multi-311m")
	add(preset{splits: []string{patternLines}, spaces: true}, "sarvam-moe")
	add(preset{splits: []string{`\S+`}, plain: true}, "whitespace")
	return all
}()

// prepare appends a preset's normalizers and pre-tokenizers.
func (b *builder) prepare(p preset) error {
	if p.nfc {
		b.step(tokenizer.NormNFC, nil)
	}
	if p.spaces {
		b.step(tokenizer.NormReplace, nil, " ", "▁")
	}
	if p.digits {
		b.step(tokenizer.PreDigits, []int32{1})
	}
	for _, expr := range p.splits {
		if known(expr) {
			b.step(tokenizer.PrePattern, []int32{tokenizer.Isolated, 0}, expr)
			continue
		}
		program, err := regex.Compile(expr)
		if err != nil {
			return fmt.Errorf("the pre-tokenizer's expression: %w", err)
		}
		b.step(tokenizer.PreProgram, []int32{tokenizer.Isolated, 0}, program.Encode(), expr)
	}
	if !p.spaces && !p.plain {
		b.step(tokenizer.PreByteLevel, []int32{0, bit(p.gpt2)})
	}
	return nil
}
