"""Which models the price list carries, and the judgement in it: tiers, names and context windows by hand.

All patterns are shell patterns over the provider's model id.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase

from billing.plans.price_list_file import ModelTier

SELECTED: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("claude-haiku-*", "claude-sonnet-*", "claude-opus-*", "claude-fable-*"),
    "openai": ("gpt-4o", "gpt-4o-mini", "gpt-4.1*", "gpt-5*", "gpt-6*", "o1", "o3", "o3-mini", "o3-pro", "o4-mini"),
    "google": ("gemini-2.5-*", "gemini-3*", "gemini-4*"),
    "groq": ("llama-3.1-8b-instant", "llama-3.3-70b-versatile", "meta-llama/llama-4-*", "moonshotai/*", "openai/*",
             "qwen/*"),
    "deepseek": ("deepseek-chat", "deepseek-reasoner", "deepseek-flash", "deepseek-v3.2", "deepseek-v4-*"),
    "openrouter": (
        "anthropic/claude-haiku-*", "anthropic/claude-opus-[45]*", "anthropic/claude-sonnet-[45]*",
        "cohere/command-a*", "deepseek/deepseek-v4*", "google/gemini-[34]*", "google/gemma-4*",
        "meta-llama/llama-3.1-70b-instruct", "minimax/minimax-m[23]*", "mistralai/*-25*", "mistralai/mistral-medium-3*",
        "moonshotai/kimi-k2.7*", "moonshotai/kimi-k3*", "nvidia/nemotron-3*", "openai/gpt-4o", "openai/gpt-4o-mini",
        "openai/gpt-4.1*", "openai/gpt-5.[56]*", "openai/gpt-6*", "openai/gpt-oss-*", "poolside/*", "qwen/qwen3.[78]*",
        "thinkingmachines/*", "x-ai/grok-4.[4-9]", "z-ai/glm-5*",
    ),
    "together": (
        "MiniMaxAI/*", "Qwen/Qwen3*", "deepseek-ai/*", "meta-llama/Llama-3.3-*", "meta-llama/Llama-4-*",
        "moonshotai/*", "nvidia/*", "openai/*", "thinkingmachines/*", "zai-org/*",
    ),
}  # fmt: skip
"""Current families of text models by provider; OpenRouter resells the others', so it gets their newest."""

LEFT_OUT: tuple[str, ...] = (
    # The same models in another way of processing, not a model
    "*:batch", "*-fast", "*-prime", "*-luna-pro", "*-sol-pro", "*-terra-pro",
    # Not generally available, or not for general text
    "*preview*", "*-exp", "*experimental*", "*-cyber", "*rosalind*", "*image*", "*audio*", "*-tts", "*live*",
    "*omni*", "*voxtral*", "*guard*", "*safety*", "*-search-*", "*-deep-research", "*-her", "*-legal", "*-vl", "*-vl:*",
    # Snapshots that a shorter id stands for
    "gpt-5.3", "*-chat-latest",
)  # fmt: skip

AT_PEAK_RATES = frozenset(
    {
        ("deepseek", "deepseek-chat"),
        ("deepseek", "deepseek-reasoner"),
        ("deepseek", "deepseek-flash"),
        ("deepseek", "deepseek-v4-pro"),
    }
)
"""Models whose price depends on the hour; listed at the dearer one."""

CONTEXT_WINDOWS: Mapping[tuple[str, str], int] = {
    ("google", "gemini-2.5-pro"): 1_048_576,
    ("groq", "llama-3.1-8b-instant"): 131_072,
    ("groq", "llama-3.3-70b-versatile"): 131_072,
    ("groq", "meta-llama/llama-4-scout-17b-16e-instruct"): 131_072,
    ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"): 131_072,
}
"""Tokens, from the providers' model pages, where the source has none."""

NAMES: Mapping[tuple[str, str], str] = {
    ("openai", "gpt-4.1"): "GPT-4.1",
    ("openai", "gpt-4.1-mini"): "GPT-4.1 mini",
    ("openai", "gpt-4.1-nano"): "GPT-4.1 nano",
    ("openai", "gpt-4o"): "GPT-4o",
    ("openai", "gpt-4o-mini"): "GPT-4o mini",
    ("openai", "gpt-5-pro"): "GPT-5 Pro",
    ("openai", "gpt-5.2-pro"): "GPT-5.2 Pro",
    ("openai", "o4-mini"): "o4-mini",
    ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"): "Llama 3.3 70B Instruct Turbo",
}

OLLAMA: tuple[tuple[str, str, ModelTier, int], ...] = (
    ("llama3.2", "Llama 3.2 3B", ModelTier.FAST, 131_072),
    ("llama3.1:8b", "Llama 3.1 8B", ModelTier.FAST, 131_072),
    ("llama3.3:70b", "Llama 3.3 70B", ModelTier.STANDARD, 131_072),
    ("qwen3:8b", "Qwen3 8B", ModelTier.FAST, 40_960),
    ("qwen3:32b", "Qwen3 32B", ModelTier.STANDARD, 40_960),
    ("gemma3:12b", "Gemma 3 12B", ModelTier.FAST, 131_072),
    ("mistral:7b", "Mistral 7B", ModelTier.FAST, 32_768),
    ("phi4:14b", "Phi-4 14B", ModelTier.FAST, 16_384),
    ("gpt-oss:20b", "GPT-OSS 20B", ModelTier.FAST, 131_072),
    ("gpt-oss:120b", "GPT-OSS 120B", ModelTier.STANDARD, 131_072),
    ("deepseek-r1:70b", "DeepSeek R1 Distill Llama 70B", ModelTier.HEAVY, 131_072),
)
"""Models of a local Ollama: they cost the platform nothing per token, and no price list has them."""

TIER_FAMILIES: tuple[tuple[ModelTier, tuple[str, ...]], ...] = (
    (ModelTier.HEAVY, ("*opus*", "*fable*", "*gpt-*-pro", "*-astra", "o1", "o3", "o3-*", "*o4-mini", "*reasoner*")),
    (ModelTier.FAST, ("*haiku*", "*-mini", "*-nano", "*flash*", "*lite*", "*-luna*", "*instant*", "*lightning*")),
    (ModelTier.STANDARD, ("*sonnet*", "*gpt-4o", "*gpt-4.1", "*deepseek-chat", "*deepseek-v*", "*llama-3.3-70b*",
                          "*inkling:free")),
)  # fmt: skip
"""Families whose place is known; the first row that matches wins."""

FAST_BELOW = Decimal(1)
HEAVY_FROM = Decimal(8)
_PARAMETERS = re.compile(r"(?<![a-z0-9.])(\d+)b(?![a-z0-9])")


def tier_of(model: str, *, input_rate: Decimal, output_rate: Decimal) -> ModelTier:
    """The tier of a model that costs these US dollars per million tokens.

    By family where it is known. Otherwise by the price of three input tokens to one output token: fast below $1,
    heavy from $8 a million. A free model is placed by the billions of parameters in its id: standard from 60, heavy
    from 200.
    """
    known = model.lower()
    for tier, patterns in TIER_FAMILIES:
        if matches(known, patterns):
            return tier
    if not input_rate and not output_rate:
        size = _PARAMETERS.search(known)
        return _between(Decimal(size[1]) if size else Decimal(0), Decimal(60), Decimal(200))
    return _between((3 * input_rate + output_rate) / 4, FAST_BELOW, HEAVY_FROM)


def _between(value: Decimal, standard: Decimal, heavy: Decimal) -> ModelTier:
    if value < standard:
        return ModelTier.FAST
    return ModelTier.STANDARD if value < heavy else ModelTier.HEAVY


def matches(model: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in patterns)
